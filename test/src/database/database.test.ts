import { inspect } from 'node:util'
import { eq, sql } from 'drizzle-orm'
import { Pool } from 'pg'
import t from 'tap'
import { CommitUnknownError, ConnectionError, Repository, TransactionBrokenError, UsageError, openDatabase } from '../../../src/index.js'
import { extendConnection, parseConnectionString } from '../../../src/settings/url/connection-string.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { beside } from '../../helpers/backend.js'
import { open } from '../../helpers/database.js'
import { openEchoing, words } from '../../helpers/echo.js'
import { infoOf, patient } from '../../helpers/info.js'
import { recordingLogger } from '../../helpers/logger.js'
import { startProxy } from '../../helpers/proxy.js'
import { schema, tables, users } from '../../helpers/schema.js'
import { withPassword } from '../../helpers/secret.js'
import type { Database, OpenOptions, StatementRunner } from '../../../src/index.js'
import type { Test } from '../../helpers/test.js'
import type { Proxy } from '../../helpers/proxy.js'

const ada = { email: 'ada@example.com' }

async function openBehindProxy (t: Test, options: OpenOptions = {}): Promise<{ database: Database, proxy: Proxy }> {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const proxy = await startProxy(t, connectionString)
  const database = await openDatabase({ connectionString: proxy.connectionString, schema, ...options })
  t.teardown(() => database.close())
  return { database, proxy }
}

async function settingOf (runner: StatementRunner, name: string): Promise<unknown> {
  const { rows } = await runner.execute<{ value: string }>(sql`select current_setting(${name}) as value`)
  return rows[0]?.value
}

t.test('each call of a repository, and each statement, commits by itself', async (t) => {
  const { database, sent } = await openEchoing(t)
  class UserRepository extends Repository.of(users) {
    findByEmail (email: string) { return this.getBy({ email }) }
  }

  const user = await database.repo(users).create(ada)
  t.match(await database.repo(UserRepository).findByEmail(ada.email), user)
  t.match(await database.execute(sql`update users set balance = ${7}`), { rowCount: 1, command: 'UPDATE', rows: [] })
  t.match(await database.execute(database.drizzle.select().from(users).where(eq(users.id, user.id))), [{ balance: 7 }])

  t.same(words(sent()), ['insert', 'select', 'update', 'select'], 'no BEGIN, no COMMIT')
  t.equal(database.drizzle, database.drizzle)
})

t.test('a session commits when its function resolves and rolls back when it throws', async (t) => {
  const database = await open(t)

  const user = await database.session((session) => session.repo(users).create(ada))
  await t.rejects(database.session(async (session) => {
    await session.repo(users).update(user.id, { balance: 9 })
    throw new Error('no')
  }), { message: 'no' })
  await t.rejects(database.session(() => { throw new Error('at once') }), { message: 'at once' })
  const seen = await database.session(async (session) => {
    await session.repo(users).update(user.id, { balance: 9 })
    await session.rollback()
    return 'rolled back by hand'
  })

  t.equal(seen, 'rolled back by hand')
  t.same(await database.repo(users).getAll(), [user])
})

t.test('a session by hand is settled by hand, and rolled back otherwise', async (t) => {
  const database = await open(t)

  const session = database.createSession()
  await session.repo(users).create(ada)
  t.equal(session.outcome, 'open')
  await session.commit()
  t.equal(session.outcome, 'committed')
  const other = database.createSession({ accessMode: 'read only' })
  await t.rejects(other.repo(users).create({ email: 'bob@example.com' }), { code: 'DB_READ_ONLY' })
  await other.close()

  t.equal(await database.repo(users).count(), 1)
  t.throws(() => database.createSession({ isolationLevel: 'chaos' as 'serializable' }), UsageError)
  await t.rejects(database.session(() => {}, { timeoutMillis: 0 }), UsageError)
})

t.test('a transaction begins with its first statement, in its function or through Drizzle', async (t) => {
  const { database, sent } = await openEchoing(t)

  await database.transaction((session) => session.repo(users).count())
  await database.drizzle.transaction(async (tx) => { await tx.insert(users).values(ada) }, { isolationLevel: 'serializable' })
  await t.rejects(database.drizzle.transaction(async (tx) => {
    await tx.delete(users).where(eq(users.id, 1))
    tx.rollback()
  }))

  t.same(words(sent()), ['begin; select', 'commit', 'begin; insert', 'commit', 'begin; delete', 'rollback'])
  t.equal(await database.repo(users).count(), 1)
})

t.test('a statement that begins a transaction of its own is refused, and undone', async (t) => {
  const database = await open(t)

  const broken = await database.execute(sql`begin`).catch((error: unknown) => error)
  t.ok(broken instanceof TransactionBrokenError)
  t.match(broken, { context: { operation: 'execute' } })
  await t.rejects(database.execute(sql.raw("begin; insert into users (email) values ('ada@example.com')")), TransactionBrokenError)
  await t.rejects(database.execute(sql.raw('begin; select 1 / 0')), { code: 'DB_ERROR', cause: { code: '22012' }, context: { operation: 'execute' } })
  await database.execute(sql.raw("begin; insert into users (email) values ('bob@example.com'); commit"))

  t.same((await database.repo(users).getAll()).map(({ email }) => email), ['bob@example.com'])
  t.match(database.poolInfo, { inUse: 0 })
})

t.test('the fate of a write is not known when its answer is lost; a read has saved nothing', async (t) => {
  const { database, proxy } = await openBehindProxy(t, { preparedStatements: false })
  await database.repo(users).create(ada)

  proxy.loseAnswer('insert')
  const error = await database.repo(users).create({ email: 'bob@example.com' }).catch((error: unknown) => error)
  t.ok(error instanceof CommitUnknownError)
  t.match(error, { cause: Error, context: { operation: 'create', table: 'users' } })
  proxy.loseAnswer('update', 'reset')
  await t.rejects(database.execute(sql`update users set balance = 1`), CommitUnknownError)
  proxy.loseRequest('delete')
  await t.rejects(database.execute(sql`delete from users`), CommitUnknownError)
  proxy.loseAnswer('from "users"')
  await t.rejects(database.repo(users).getAll(), ConnectionError)

  t.match(await database.repo(users).getAll({ orderBy: { id: 'asc' } }), [{ email: 'ada@example.com', balance: 1 }, { email: 'bob@example.com', balance: 1 }])
  t.match(database.poolInfo, { inUse: 0, waiting: 0 })
})

t.test('a server that has become read only is left, so that the next connection finds the primary', async (t) => {
  const database = await open(t)
  const { rows: [row] } = await database.execute<{ name: string }>(sql`select current_database() as name`)
  await beside(database, `alter database ${row?.name} set default_transaction_read_only to on`)
  await database.execute(sql`set default_transaction_read_only to on`)
  const { total } = database.poolInfo

  await t.rejects(database.repo(users).create(ada), { code: 'DB_CONNECTION', statusCode: 503 })

  t.equal(database.poolInfo.total, total - 1)
})

t.test('the same in a session, which cannot be committed', async (t) => {
  const database = await open(t)
  await database.execute(sql`set default_transaction_read_only to on`)
  const { total } = database.poolInfo
  const session = database.createSession()

  await t.rejects(session.repo(users).create(ada), { code: 'DB_CONNECTION', statusCode: 503 })

  t.equal(database.poolInfo.total, total - 1)
  await t.rejects(session.commit(), { code: 'DB_CONNECTION' })
})

t.test('a value that cannot be written is the caller\'s mistake, and costs no connection', async (t) => {
  const database = await open(t)
  const circular: Record<string, unknown> = {}
  circular['itself'] = circular
  const angry = { toPostgres () { throw new Error('no') } }

  for (const value of [circular, angry]) {
    await t.rejects(database.execute(sql`select ${value}::jsonb`), { code: 'DB_VALIDATION' })
    await t.rejects(database.session(async (session) => {
      await session.repo(users).create(ada)
      await t.rejects(session.execute(sql`select ${value}::jsonb`), { code: 'DB_VALIDATION' })
    }), { code: 'DB_TRANSACTION_ABORTED' }, 'success would be a lie')
  }

  t.match(database.poolInfo, { inUse: 0, total: 1 })
  t.equal(await database.repo(users).count(), 0)
})

t.test('limits are startup parameters, for every statement', async (t) => {
  const database = await open(t, { statementTimeoutSeconds: 7, lockTimeoutSeconds: 2.5, idleInTransactionTimeoutSeconds: 9 })

  for (const runner of [database, database.createSession({ begin: 'firstQuery' })]) {
    t.equal(await settingOf(runner, 'statement_timeout'), '7s')
    t.equal(await settingOf(runner, 'lock_timeout'), '2500ms')
    t.equal(await settingOf(runner, 'idle_in_transaction_session_timeout'), '9s')
    if (runner !== database) await (runner as ReturnType<typeof database.createSession>).close()
  }
})

t.test('behind a pooler limits go with each transaction and each statement, and end with it', async (t) => {
  const { database, sent } = await openEchoing(t, {
    pooler: 'transaction', statementTimeoutSeconds: 7, lockTimeoutSeconds: 0, idleInTransactionTimeoutSeconds: 0.5
  })
  const session = (): Promise<unknown> => database.pool.query("select current_setting('statement_timeout') as limit").then(({ rows }) => rows[0].limit)

  t.equal(await settingOf(database, 'statement_timeout'), '7s')
  t.equal(await settingOf(database, 'idle_in_transaction_session_timeout'), '0')
  t.equal(await session(), '0')
  await database.transaction(async (session) => {
    t.equal(await settingOf(session, 'statement_timeout'), '7s')
    t.equal(await settingOf(session, 'lock_timeout'), '0')
    t.equal(await settingOf(session, 'idle_in_transaction_session_timeout'), '500ms')
  })
  t.equal(await session(), '0')
  t.match(sent()[2], /^begin; select set_config/, 'in one round trip')

  const none = await openEchoing(t, { pooler: 'transaction', statementTimeoutSeconds: 0, lockTimeoutSeconds: 0, idleInTransactionTimeoutSeconds: 0 })
  await none.database.transaction((session) => session.repo(users).count())
  t.same(words(none.sent()), ['begin; select', 'commit'])
})

t.test('reports its health, its counts, and those of the server', async (t) => {
  const database = await open(t, { pool: { size: 2, maxOverflow: 1 } })

  t.match(await database.checkHealth(patient), { healthy: true, status: 'up' })
  t.match(await infoOf(database), { version: /^PostgreSQL \d/, pool: { size: 2, max: 3 } })
  t.match(database.poolInfo, { size: 2, max: 3, total: 1, idle: 1, inUse: 0, waiting: 0 })
  await database.close()
  t.match(await database.checkHealth(), { healthy: false, status: 'closing' })
})

t.test('an inspected database shows no password, however deep one looks', async (t) => {
  const connectionString = withPassword((await createTestDatabase(t, { sql: tables })).connectionString)
  const { password } = new URL(connectionString)
  const database = await openDatabase({ connectionString, schema })
  t.teardown(() => database.close())
  await database.checkHealth()
  const session = database.createSession()
  await session.repo(users).create(ada)

  for (const thing of [database, session, database.pool]) {
    const text = inspect(thing, { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity })
    t.ok(text.length > 100)
    t.notOk(text.includes(password))
    t.notOk(text.includes(Buffer.from(password).toString('hex').replace(/(..)(?=.)/g, '$1 ')))
  }
  t.notOk(JSON.stringify(database).includes(password))
  await session.close()
})

t.test('a pool of one\'s own is used as it is, and outlives the database', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const pg = new Pool(extendConnection(parseConnectionString(connectionString), { max: 3 }))
  // `end()` resolves before the connections are closed, and the drop of the database may reach them first.
  t.teardown(() => pg.on('error', () => {}).end())

  const database = await openDatabase({ pg, schema, preparedStatements: false })
  t.equal(database.pool, pg)
  await database.transaction(async (session) => {
    await session.repo(users).create(ada)
    t.equal(await settingOf(session, 'statement_timeout'), '0', 'its limits are its owner\'s')
  })
  t.match(await database.checkHealth(patient), { healthy: true })
  await database.close()

  t.equal(pg.ended, false)
  t.same((await pg.query('select email from users')).rows, [ada])
  for (const event of ['connect', 'acquire', 'release', 'remove', 'error']) t.equal(pg.listenerCount(event), 0, event)
})

t.test('gives violations of a constraint the words that it was opened with', async (t) => {
  const database = await open(t, { errors: { constraints: { users_email_key: { status: 422, code: 'EMAIL_TAKEN', message: 'This e-mail is taken' } } } })
  await database.repo(users).create(ada)

  await t.rejects(database.repo(users).create(ada), { name: 'UniqueViolationError', statusCode: 422, code: 'EMAIL_TAKEN', message: 'This e-mail is taken' })
  await t.rejects(database.session((session) => session.repo(users).create(ada)), { code: 'EMAIL_TAKEN' })
})

t.test('logs with the logger that it was given', async (t) => {
  const logger = recordingLogger()
  const database = await open(t, { logger, slowQueryMillis: 0 })
  await database.execute(sql`select ${'a secret'}`)
  t.match(logger.lines.at(-1), { level: 'warn', message: 'slow statement', context: { statement: 'select $1' } })
  t.notMatch(JSON.stringify(logger.lines), /secret/)
})

t.test('statements that were sent together with the same text have one line about their slowness', async (t) => {
  const logger = recordingLogger()
  const database = await open(t, { logger, slowQueryMillis: 0 })
  const started = logger.lines.length
  await database.session(async (session) => {
    const repo = session.repo(users)
    await repo.create(ada)
    await Promise.all([repo.get(1), repo.get(2), repo.count(), repo.count(), repo.get(3)])
  })
  const texts = logger.lines.slice(started).filter(({ message }) => message === 'slow statement').map(({ context }) => (context as { statement: string }).statement)
  const told = texts.filter((text) => text.startsWith('select')).map((text) => text.includes('count') ? 'count' : 'get')
  t.strictSame(told, ['get', 'count', 'get'])
})
