import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import t from 'tap'
import { openDatabase, UsageError } from '../../../src/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { openEchoing, words } from '../../helpers/echo.js'
import { startTransactionPooler } from '../../helpers/transaction-pooler.js'
import { contextOf, tenantTables } from '../../helpers/context-tenants.js'
import { tables, users } from '../../helpers/schema.js'
import type { Database, OpenOptions, Session, TransactionOptions } from '../../../src/index.js'
import type { Echoing } from '../../helpers/echo.js'
import type { Test } from '../../helpers/test.js'

const emails = async (runner: Pick<Database, 'repo'>): Promise<string[]> => (await runner.repo(users).filter({}, { orderBy: { email: 'asc' } })).map(({ email }) => email)

/** Makes a user who may log in the owner of the table; returns its URL. */
async function ownerOf (t: Test, direct: Database, connectionString: string): Promise<string> {
  const name = `context_owner_${randomUUID().slice(0, 8)}`
  await direct.pool.query(`create role ${name} login password '${name}'; alter table users owner to ${name}; grant all on schema public to ${name}`)
  t.teardown(() => direct.pool.query(`alter table users owner to current_user; drop owned by ${name}; drop role ${name}`))
  return Object.assign(new URL(connectionString), { username: name, password: name }).href
}

/** The settings that a connection has outside a transaction. */
async function left (database: Database): Promise<unknown> {
  const { rows } = await database.execute(sql`select coalesce(current_setting('app.tenant', true), '') as tenant, current_user = session_user as "isLogin", current_setting('search_path') as path`)
  return rows
}

const nothingLeft = [{ tenant: '', isLogin: true, path: '"$user", public' }]

async function openTenants (t: Test, { connectionString, ...options }: OpenOptions = {}): Promise<Echoing> {
  const url = connectionString ?? (await createTestDatabase(t, { sql: tenantTables })).connectionString
  return await openEchoing(t, { connectionString: url, pool: { size: 1, maxOverflow: 0 }, ...options })
}

t.test('a context leads reads, lists, writes and transactions for no round trip, and nothing of it stays', async (t) => {
  const { database, sent } = await openTenants(t)
  const context = contextOf('b')
  const trips = async (work: Promise<unknown>): Promise<string[]> => {
    sent()
    await work
    return words(sent())
  }

  t.same(await trips(database.session((session) => session.repo(users).get(1), { context })), ['select; select'])
  t.same(await trips(database.session((session) => session.repo(users).filter({}), { context })), ['select; select'])
  t.same(await trips(database.session((session) => session.repo(users).create({ email: 'bea' }), { context })), ['begin; select; insert', 'commit'])
  t.same(await trips(database.session(async (session) => {
    const user = await session.repo(users).getByOrThrow({ email: 'bea' })
    return await session.repo(users).update(user.id, { balance: 1 })
  }, { context })), ['select; select', 'begin; select; update', 'commit'])
  t.same(await trips(database.transaction(emails, { context, resolveCommits: true })), ['begin; select; select; select', 'commit'])
  t.same(await left(database), nothingLeft)

  t.same(await database.session(emails, { context }), ['bea', 'ben', 'bob'])
  t.same(await database.transaction(emails, { context: contextOf('a') }), ['ada'])
  t.same(await database.session(emails, { context: { role: 'context_user' } }), [], 'without a tenant there are no rows')
  t.same(await left(database), nothingLeft)
})

for (const preparedStatements of [true, false]) {
  for (const isPooled of [true, false]) {
    t.test(`a context costs no round trip ${isPooled ? 'through a pooler' : 'directly'}, ${preparedStatements ? 'with' : 'without'} names`, async (t) => {
      const { connectionString: direct } = await createTestDatabase(t, { sql: tenantTables })
      const way = isPooled ? await startTransactionPooler(t, direct, { keepsNames: preparedStatements, servers: 1 }) : undefined
      const { database, sent } = await openTenants(t, { connectionString: way?.connectionString ?? direct, preparedStatements })
      const context = contextOf('b')
      const trips = async (work: (session: Session) => Promise<unknown>): Promise<number> => {
        sent()
        await database.session(work, { context })
        return sent().length
      }
      t.same([
        await trips((session) => session.repo(users).get(2)),
        await trips((session) => session.repo(users).filter({}, { limit: 20 })),
        await trips((session) => session.repo(users).create({ email: 'bea' })),
        await trips(async (session) => await session.repo(users).update((await session.repo(users).getOrThrow(2)).id, { balance: 1 }))
      ], [1, 1, 2, 3])
      t.same(await left(database), nothingLeft)
    })
  }
}

t.test('withContext() gives its context to each statement, stream, session, Drizzle query and text of the user', async (t) => {
  const { database, sent } = await openTenants(t)
  const tenant = database.withContext(contextOf('b'))
  sent()

  t.same(await emails(tenant), ['ben', 'bob'])
  t.match(await tenant.repo(users).create({ email: 'bea' }), { email: 'bea' })
  t.same(words(sent()), ['select; select', 'select; insert'])
  t.same((await tenant.drizzle.select().from(users)).map(({ email }) => email), ['bob', 'ben', 'bea'])
  t.same((await tenant.execute(sql`select count(*)::int as count from users`)).rows, [{ count: 3 }])
  t.same((await tenant.execute(sql`select count(*)::int as count from users where balance >= ${0}`)).rows, [{ count: 3 }])
  t.same(words(sent()), ['select; select', 'select; select', 'select; select'])
  t.match(await tenant.execute(sql.raw('select 1; select count(*)::int as count from users')), { rows: [{ count: 3 }], results: [{}, {}] })
  t.same(words(sent()), ['begin; select; ', 'select; select', 'commit'], 'a text of several statements is a transaction')

  const streamed: string[] = []
  for await (const { email } of tenant.repo(users).stream()) streamed.push(email)
  t.same(streamed, ['bob', 'ben', 'bea'])
  t.same(await tenant.session(async (session) => {
    const inSession: string[] = []
    for await (const { email } of session.repo(users).stream()) inSession.push(email)
    return inSession
  }), streamed, 'also a stream of a session')
  t.same(await tenant.session(emails), ['bea', 'ben', 'bob'])
  t.same(await tenant.transaction((session) => session.transaction((scope) => emails(scope))), ['bea', 'ben', 'bob'])
  t.same(await tenant.session(emails, { context: contextOf('a') }), ['ada'], 'the options of a session go first')
  t.same(await tenant.withContext(contextOf('a')).session(emails), ['ada'])
  t.same(await left(database), nothingLeft)
})

t.test('a row of another tenant is refused by a policy, and an undone scope does not end the context', async (t) => {
  const { database } = await openTenants(t)
  const tenant = database.withContext(contextOf('b'))
  await t.rejects(tenant.execute(sql`insert into users (email, tenant) values ('eve', 'a')`), { code: 'DB_POLICY_VIOLATION', statusCode: 403, retryable: false })
  t.same(await tenant.session(async (session) => {
    await session.transaction((scope) => scope.execute(sql`insert into users (email, tenant) values ('eve', 'a')`)).catch(() => {})
    await session.repo(users).create({ email: 'bea' })
    return await emails(session)
  }), ['bea', 'ben', 'bob'])
  t.same(await left(database), nothingLeft)
})

t.test('an attempt that is repeated has the context, too', async (t) => {
  const { database } = await openTenants(t)
  let attempts = 0
  const seen = await database.session(async (session) => {
    const found = await emails(session)
    if (attempts++ === 0) await session.execute(sql`do $$ begin raise exception using errcode = '40001'; end $$`)
    return found
  }, { context: contextOf('b'), retries: 1 })
  t.same([attempts, seen], [2, ['ben', 'bob']])
})

for (const keepsNames of [false, true]) {
  t.test(`a search path finds the tables of each schema, ${keepsNames ? 'with' : 'without'} names behind a pooler and without one`, async (t) => {
    const { connectionString } = await createTestDatabase(t, {
      sql: ['one', 'two'].map((name) => `create schema "${name}"; set search_path = "${name}"; ${tables}; insert into users (email) values ('${name}')`).join(';')
    })
    const pooler = await startTransactionPooler(t, connectionString, { keepsNames, servers: 1 })
    for (const url of [connectionString, pooler.connectionString]) {
      const database = await openDatabase({ connectionString: url, pool: { size: 1, maxOverflow: 0 } })
      t.teardown(() => database.close())
      for (let round = 0; round < 3; round++) {
        for (const name of ['one', 'two']) {
          const schema = database.withContext({ searchPath: [name] })
          t.same(await emails(schema), [name])
          t.same(await schema.session(emails), [name])
          t.match(await schema.session((session) => session.repo(users).getOrThrow(1)), { email: name })
        }
      }
      const schema = database.withContext({ searchPath: ['two'] })
      const streamed: string[] = []
      for await (const { email } of schema.repo(users).stream()) streamed.push(email)
      t.same(streamed, ['two'])
      await t.rejects(emails(database), { cause: { code: '42P01' } })
    }
  })
}

t.test('while a migration runs through the schemas, a statement of one is not used for the columns of another', async (t) => {
  const { connectionString } = await createTestDatabase(t, {
    sql: ['one', 'two'].map((name) => `create schema "${name}"; set search_path = "${name}"; ${tables}; insert into users (email) values ('${name}')`).join(';') +
      '; alter table users alter column balance type bigint'
  })
  const { database } = await openEchoing(t, { connectionString, pool: { size: 1, maxOverflow: 0 } })
  for (let round = 0; round < 3; round++) {
    for (const name of ['one', 'two']) {
      t.match(await database.transaction(async (session) => {
        await session.begin()
        return await session.repo(users).getOrThrow(1)
      }, { context: { searchPath: [name] } }), { email: name, balance: 0 })
    }
  }
})

t.test('with contextRequired, what has no context is refused before anything is sent', async (t) => {
  const { database, sent } = await openEchoing(t, { transaction: { contextRequired: true } })
  sent()
  const missing = { name: 'ContextMissingError', code: 'DB_CONTEXT_MISSING', statusCode: 500, retryable: false }
  const repository = database.repo(users)
  await t.rejects(repository.count(), missing)
  await t.rejects(repository.create({ email: 'ada' }), missing)
  await t.rejects(repository.stream().next(), missing)
  await t.rejects(database.execute(sql`select 1`), missing)
  await t.rejects(database.execute(sql.raw('select 1; select 2')), missing)
  await t.rejects(database.drizzle.select().from(users), missing)
  await t.rejects(database.session((session) => session.repo(users).stream().next()), missing)
  await t.rejects(database.session((session) => session.begin()), missing)
  await t.rejects(database.transaction((session) => session.execute(sql`select 1`)), missing)
  await t.rejects(database.withContext({ role: 'postgres' }).session(emails, { context: undefined }), missing)
  await t.rejects(database.session((session) => session.repo(users).create({ email: 'ada' }).catch(() => {})), { code: 'DB_TRANSACTION_ABORTED', cause: missing }, 'a write that was refused prevents the commit')
  await database.session((session) => {
    session.afterCommit(async () => await t.rejects(repository.count(), missing))
  }, { context: { settings: { 'app.tenant': 'a' } } })
  t.same(sent(), [])

  t.same(await database.session(emails, { context: { settings: { 'app.tenant': 'a' } } }), [])
  t.match(await database.checkHealth(), { status: 'up' }, 'health needs no context')
})

t.test('with contextRequired, a database user who bypasses the policies of a table needs a role', async (t) => {
  const { connectionString, database: direct } = await createTestDatabase(t, { sql: tenantTables })
  const opened = async (transaction: TransactionOptions, url = connectionString): Promise<Database> => {
    const database = await openDatabase({ connectionString: url, transaction })
    t.teardown(() => database.close())
    return database
  }
  const refused = { name: 'SettingsError', setting: 'transaction.contextRequired', message: /policies do not hold for the database user.*\(users\)/ }
  const settings = { 'app.tenant': 'b' }
  await t.rejects(opened({ contextRequired: true }), refused)
  await t.rejects(opened({ contextRequired: true, context: { settings } }), refused)
  await t.rejects(openDatabase({ connectionString, degraded: true, transaction: { contextRequired: true } }), { setting: 'transaction.contextRequired', message: /degraded/ })

  const database = await opened({ contextRequired: true, context: contextOf('b') })
  t.same(await database.session(emails), ['ben', 'bob'])
  await t.rejects(database.session(emails, { context: { settings } }), { code: 'DB_CONTEXT_MISSING', message: /has no role/ })
  await t.rejects(emails(database.withContext({ settings })), { code: 'DB_CONTEXT_MISSING', message: /has no role/ })

  const owner = await ownerOf(t, direct, connectionString)
  await t.rejects(opened({ contextRequired: true }, owner), refused, 'an owner')
  await direct.execute(sql`alter table users force row level security`)
  const own = await opened({ contextRequired: true }, owner)
  t.same(await own.session(emails, { context: { settings } }), ['ben', 'bob'])

  const closed = await createTestDatabase(t, { sql: 'create table jobs (id int); alter table jobs enable row level security' })
  await t.resolves(opened({ contextRequired: true }, closed.connectionString), 'a table without a policy protects no tenant')
})

t.test('a context that cannot be used is refused with the part that is wrong, and without its value', async (t) => {
  const { database, sent } = await openTenants(t)
  sent()
  for (const [context, message] of [
    [null, 'is an object'], [undefined, 'is an object'], ['tenant', 'is an object'], [[], 'is an object'], [Promise.resolve({}), 'not a promise'], [{}, 'must hold something'],
    [{ tenant: 1 }, 'context.tenant is not an option'], [{ settings: [] }, 'context.settings must be'], [{ settings: { statement_timeout: '0' } }, 'names with a dot'],
    [{ settings: { 'app.tenant': undefined } }, "context.settings['app.tenant'] must be"], [{ settings: { 'app.tenant': {} } }, 'must be a text'], [{ settings: { 'app.tenant': 'secret\0' } }, 'zero bytes'],
    [{ role: '' }, 'context.role'], [{ role: 'none' }, 'context.role'], [{ role: 1 }, 'context.role'],
    [{ searchPath: 'one' }, 'context.searchPath'], [{ searchPath: [] }, 'context.searchPath'], [{ searchPath: [''] }, 'context.searchPath']
  ] as const) {
    let refusal: unknown
    try { database.withContext(context as never) } catch (error) { refusal = error }
    t.ok(refusal instanceof UsageError, message)
    t.ok(String(refusal).includes(message), String(refusal))
    t.notOk(String(refusal).includes('secret'))
  }
  t.throws(() => database.createSession({ context: { role: 'none' } }), UsageError)
  await t.rejects(database.session(emails, { context: { role: 'nobody_at_all' } }), { name: 'UsageError', message: /refused the context/, cause: { code: '22023' } })
  await t.rejects(database.transaction(emails, { context: { role: 'nobody_at_all' } }), { name: 'UsageError', message: /refused the context/ })
  await t.rejects(emails(database.withContext({ role: 'nobody_at_all' })), { name: 'UsageError', message: /refused the context/ })
  t.same(await left(database), nothingLeft)
})

t.test('names and values are parameters', async (t) => {
  const { database } = await openTenants(t)
  const odd = '\'; drop table users; -- "'
  t.same((await database.withContext({ settings: { 'app.odd': odd, 'app.number': 42, 'app.flag': true }, searchPath: ['public', 'a "quoted" one'] })
    .execute(sql`select current_setting('app.odd') as odd, current_setting('app.number') as number, current_setting('app.flag') as flag, current_setting('search_path') as path`)).rows,
  [{ odd, number: '42', flag: 'true', path: '"public", "a ""quoted"" one"' }])
})
