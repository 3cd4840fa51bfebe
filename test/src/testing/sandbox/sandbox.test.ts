import { sql } from 'drizzle-orm'
import t from 'tap'
import { createTestDatabase, expectNoLeaks, sandbox } from '../../../../src/testing/index.js'
import { open } from '../../../helpers/database.js'
import { build } from '../../../helpers/server.js'
import { silentLogger } from '../../../../src/runtime/logger.js'
import { posts, tables, users } from '../../../helpers/schema.js'
import { openDatabase } from '../../../../plugins/index.js'
import { leads } from '../../../helpers/pool.js'
import type { FastifyInstance } from 'fastify'
import type { Test } from '../../../helpers/test.js'

/** Begins a sandbox that ends with the test. */
async function enterSandbox (t: Test, ...args: Parameters<typeof sandbox>): Promise<void> {
  const box = await sandbox(...args)
  t.teardown(() => box.rollback())
}

/** A server with routes that write, and fail or succeed. */
async function buildRoutes (t: Test): Promise<{ server: FastifyInstance, told: string[] }> {
  const server = await build(t)
  const told: string[] = []
  server.post<{ Params: { email: string } }>('/users/:email', async (request, reply) => {
    request.db.afterCommit(() => { told.push(request.params.email) })
    reply.code(201)
    return await request.repo(users).create({ email: request.params.email })
  })
  server.post('/fails', async (request) => {
    await request.repo(users).create({ email: 'gone' })
    throw new Error('no')
  })
  server.get('/users', (request) => request.repo(users).getAll())
  return { server, told }
}

t.test('requests and direct calls see each other, and the rollback undoes all of them', async (t) => {
  const { server, told } = await buildRoutes(t)
  const box = await sandbox(server)
  t.equal((await server.inject({ method: 'POST', url: '/users/ada' })).statusCode, 201)
  await server.db.repo(users).create({ email: 'bob' })
  await server.db.transaction((session) => session.repo(users).create({ email: 'cy' }))
  await server.db.session((session) => session.repo(users).create({ email: 'dee' }))
  await server.db.drizzle.insert(users).values({ email: 'eve' })

  t.strictSame((await server.inject('/users')).json().map((user: { email: string }) => user.email), ['ada', 'bob', 'cy', 'dee', 'eve'])
  t.strictSame(told, ['ada'])
  await box.rollback()
  await box.rollback()
  t.strictSame((await server.inject('/users')).json(), [])
})

t.test('a failed statement or transaction undoes only itself', async (t) => {
  const { server } = await buildRoutes(t)
  await using box = await sandbox(server)
  t.type(box.rollback, 'function', 'and is rolled back when its block ends')
  await server.inject({ method: 'POST', url: '/users/ada' })

  t.equal((await server.inject({ method: 'POST', url: '/fails' })).statusCode, 500)
  t.equal((await server.inject({ method: 'POST', url: '/users/ada' })).statusCode, 409)
  await t.rejects(server.db.repo(users).create({ email: 'ada' }), { code: 'DB_UNIQUE_VIOLATION' })
  await t.rejects(server.db.execute(sql.raw("insert into users (email) values ('x'); select 1 / 0")), { cause: { code: '22012' } })
  await t.rejects(server.db.execute(sql`select ${{ toPostgres () { throw new Error('unwritable') } }}`), { code: 'DB_VALIDATION' })
  t.strictSame((await server.db.repo(users).getAll()).map(({ email }) => email), ['ada'])
})

t.test('raw statements keep their writes, even several in one text', async (t) => {
  const database = await open(t)
  await enterSandbox(t, database)
  await database.execute(sql.raw("insert into users (email) values ('ada'); insert into users (email) values ('bob')"))
  await database.transaction((session) => session.execute(sql.raw("insert into users (email) values ('cy'); insert into users (email) values ('dee')")))

  t.equal(await database.repo(users).count(), 4)
})

t.test('deferred constraints are checked at each commit, and deferred again in the next transaction', async (t) => {
  const database = await open(t)
  await enterSandbox(t, database)
  await database.execute(sql.raw('create table notes (id int primary key, next int references notes deferrable initially deferred)'))
  const note = (id: number, next: number) => sql`insert into notes values (${id}, ${next})`

  await t.rejects(database.execute(note(1, 9)), { code: 'DB_FOREIGN_KEY_VIOLATION' })
  for (const round of [1, 2]) {
    await t.rejects(database.transaction((session) => session.execute(note(round, 9))), { code: 'DB_FOREIGN_KEY_VIOLATION', context: { operation: 'commit' } })
    await database.transaction(async (session) => {
      await session.execute(note(round * 10, round * 10 + 1))
      await session.execute(note(round * 10 + 1, round * 10))
    })
  }
  t.match(await database.execute(sql`select count(*)::int from notes`), { rows: [{ count: 4 }] })
})

t.test('a constraint that one transaction defers is immediate again in the next', async (t) => {
  const database = await open(t)
  await enterSandbox(t, database)
  await t.rejects(database.transaction(async (session) => {
    await session.execute(sql`set constraints posts_user_id_fkey deferred`)
    await session.repo(posts).create({ userId: 42, title: 'lost' })
  }), { code: 'DB_FOREIGN_KEY_VIOLATION', context: { operation: 'commit' } })

  await t.rejects(
    database.transaction((session) => session.repo(posts).create({ userId: 42, title: 'lost' })),
    { code: 'DB_FOREIGN_KEY_VIOLATION', context: { operation: 'create' } }
  )
})

t.test('sandboxes on different handles of one database do not see each other', async (t) => {
  const { connectionString, database: one } = await createTestDatabase(t, { sql: tables })
  const two = await openDatabase({ connectionString })
  t.teardown(() => two.close())
  await enterSandbox(t, one)
  await enterSandbox(t, two)
  await one.repo(users).create({ email: 'ada' })
  await two.repo(users).create({ email: 'bob' })

  t.strictSame((await one.repo(users).getAll()).map(({ email }) => email), ['ada'])
  t.strictSame((await two.repo(users).getAll()).map(({ email }) => email), ['bob'])
})

t.test('parallel requests run one after the other', async (t) => {
  const { server, told } = await buildRoutes(t)
  await enterSandbox(t, server)
  const emails = Array.from({ length: 20 }, (_, n) => `user${n}`)
  const replies = await Promise.all(emails.map((email) => server.inject({ method: 'POST', url: `/users/${email}` })))

  t.ok(replies.every(({ statusCode }) => statusCode === 201))
  t.strictSame(told.toSorted(), emails.toSorted())
})

t.test('waiting for a transaction that does not end is an error with the way out', async (t) => {
  const { server } = await buildRoutes(t)
  await enterSandbox(t, server, { timeoutMillis: 50 })
  await using session = server.db.createSession()
  await session.repo(users).create({ email: 'ada' })

  await t.rejects(Promise.all([server.db.repo(users).count(), server.db.repo(users).count()]), {
    code: 'DB_TRANSACTION_SCOPE', message: /one transaction runs at a time, and that of database has not ended: end it before/
  })
  t.equal((await server.inject('/users')).json().code, 'DB_TRANSACTION_SCOPE')
  await session.commit()
  t.equal(await server.db.repo(users).count(), 1, 'the next transaction runs after its end')
})

t.test('a caller that stops waiting is skipped', async (t) => {
  const database = await open(t)
  await enterSandbox(t, database)
  await using holder = database.createSession()
  await holder.repo(users).create({ email: 'ada' })
  const waiting = database.createSession()
  const write = waiting.repo(users).create({ email: 'bob' })
  const last = database.repo(users).count()
  await waiting.rollback()
  await t.rejects(write, { code: 'DB_TRANSACTION_CLOSED' })
  await holder.commit()

  t.equal(await last, 1)
})

t.test('nested scopes, outcomes and isolation levels work as without a sandbox', async (t) => {
  const database = await open(t)
  await enterSandbox(t, database)
  const session = database.createSession({ isolationLevel: 'serializable', deferrable: false })
  await session.begin()
  await session.repo(users).create({ email: 'ada' })
  await t.rejects(session.transaction(async (scope) => {
    await scope.repo(users).create({ email: 'bob' })
    await scope.transaction((inner) => inner.repo(users).create({ email: 'ada' }))
  }), { code: 'DB_UNIQUE_VIOLATION' })
  t.equal(session.outcome, 'open')
  await session.commit()
  t.equal(session.outcome, 'committed')
  await t.rejects(session.repo(users).count(), { code: 'DB_TRANSACTION_CLOSED' })

  await t.rejects(database.transaction((session) => session.repo(users).create({ email: 'cy' }), { accessMode: 'read only' }), { code: 'DB_READ_ONLY' })
  const failed = database.createSession()
  await failed.repo(users).create({ email: 'ada' }).catch(() => {})
  await t.rejects(failed.commit(), { code: 'DB_TRANSACTION_ABORTED' })
  t.equal(failed.outcome, 'rolledBack')
  t.strictSame((await database.repo(users).getAll()).map(({ email }) => email), ['ada'])
})

t.test('a transaction with a conflict is repeated from its own beginning', async (t) => {
  const database = await open(t)
  await enterSandbox(t, database)
  await database.repo(users).create({ email: 'before' })
  let attempts = 0
  await database.transaction(async (session) => {
    await session.repo(users).create({ email: 'once' })
    if (++attempts < 3) await session.execute(sql.raw('do $$ begin raise serialization_failure; end $$'))
  }, { retries: 3 })

  t.equal(attempts, 3)
  t.equal(await database.repo(users).count(), 2)
})

t.test('a transaction that exceeds its time is undone, and the next one starts', async (t) => {
  const database = await open(t)
  await enterSandbox(t, database)
  await t.rejects(database.transaction(async (session) => {
    await session.repo(users).create({ email: 'ada' })
    await session.execute(sql`select pg_sleep(60)`)
  }, { timeoutMillis: 100 }), { code: 'DB_TIMEOUT' })

  t.equal(await database.repo(users).count(), 0)
})

t.test('a commit that does not end in time is destroyed, and others stay', async (t) => {
  const database = await open(t)
  await enterSandbox(t, database)
  await database.execute(sql.raw(`
    create function nap () returns trigger language plpgsql as $$ begin perform pg_sleep(60); return null; end $$;
    create constraint trigger naps after insert on users deferrable initially deferred for each row when (new.email = 'slow') execute function nap()`))
  await database.repo(users).create({ email: 'ada' })
  await t.rejects(database.transaction((session) => session.repo(users).create({ email: 'slow' }), { settleTimeoutMillis: 100 }))

  t.strictSame((await database.repo(users).getAll()).map(({ email }) => email), ['ada'])
})

t.test('a failure that would close a connection ends only one transaction', async (t) => {
  const database = await open(t)
  await enterSandbox(t, database)
  await database.repo(users).create({ email: 'ada' })
  const full = sql.raw("do $$ begin raise exception using errcode = '53100'; end $$")

  await t.rejects(database.execute(full), { code: 'DB_CONNECTION' })
  await t.rejects(database.transaction((session) => session.transaction((scope) => scope.execute(full))), { code: 'DB_CONNECTION' })
  t.equal(await database.repo(users).count(), 1)
})

t.test('a connection that is released more than once is lent to one caller at a time', async (t) => {
  const database = await open(t)
  await enterSandbox(t, database)
  const caller = { label: 'test', logger: silentLogger }
  const connection = await database.host.pool.connect(caller)
  connection.release()
  connection.destroy()
  connection.release()
  await using session = database.createSession()
  await session.repo(users).create({ email: 'ada' })

  await t.rejects(expectNoLeaks(database), /a transaction of database is open/)
})

t.test('a connection that is released inside its transaction leaves none of its writes', async (t) => {
  const database = await open(t)
  await enterSandbox(t, database)
  const connection = await database.host.pool.connect({ label: 'test', logger: silentLogger })
  const { error } = await connection.run(
    { kind: 'write', text: "insert into users (email) values ('ada')", values: [], context: { operation: 'test' } },
    leads(['begin'])
  )
  t.equal(error, undefined)
  connection.release()

  t.equal(await database.repo(users).count(), 0)
  await t.resolves(expectNoLeaks(database))
})
