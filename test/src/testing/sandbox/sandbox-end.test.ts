import { sql } from 'drizzle-orm'
import Fastify from 'fastify'
import t from 'tap'
import { createTestDatabase, expectNoLeaks, sandbox } from '../../../../src/testing/index.js'
import { open, openByProxy } from '../../../helpers/database.js'
import { deferred } from '../../../helpers/deferred.js'
import { tables, users } from '../../../helpers/schema.js'
import dataAccess from '../../../../plugins/index.js'
import type { Test } from '../../../helpers/test.js'

/** Begins a sandbox that ends with the test. */
async function enterSandbox (t: Test, ...args: Parameters<typeof sandbox>): Promise<void> {
  const box = await sandbox(...args)
  t.teardown(() => box.rollback())
}

t.test('a silent network ends the sandbox within its time', async (t) => {
  const { database, proxy } = await openByProxy(t)
  const box = await sandbox(database, { timeoutMillis: 100 })
  await database.repo(users).create({ email: 'ada' })
  proxy.silence()
  await t.rejects(database.transaction((session) => session.repo(users).create({ email: 'bob' }), { timeoutMillis: 50, settleTimeoutMillis: 50 }))

  await t.rejects(database.repo(users).count(), { code: /DB_(CONNECTION|TRANSACTION_SCOPE)/ })
  await t.resolves(expectNoLeaks(database))
  await box.rollback().catch(() => {})
  t.equal(await database.repo(users).count(), 0)
})

t.test('an open transaction in a sandbox is a leak, the sandbox itself is not', async (t) => {
  const database = await open(t)
  await enterSandbox(t, database)
  await t.resolves(expectNoLeaks(database))
  await using session = database.createSession()
  await session.repo(users).create({ email: 'ada' })

  await t.rejects(expectNoLeaks(database), { message: 'The test leaks: a transaction of database is open in the sandbox: end it;' })
})

t.test('a second sandbox on the same database is refused, even if both are opened at once', async (t) => {
  const database = await open(t)
  const both = await Promise.allSettled([sandbox(database), sandbox(database)])
  t.strictSame(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  await t.rejects(sandbox(database), /There is a sandbox on this database already: roll it back first/)
  for (const one of both) if (one.status === 'fulfilled') await one.value.rollback()

  await enterSandbox(t, database)
})

t.test('a transaction that is open at the rollback is an error, and undone', async (t) => {
  const database = await open(t)
  const box = await sandbox(database, { timeoutMillis: 50 })
  const session = database.createSession()
  await session.repo(users).create({ email: 'ada' })
  const waiting = database.repo(users).count()

  await t.rejects(
    Promise.all([box.rollback(), t.rejects(waiting, { code: /DB_(CONNECTION|TRANSACTION_SCOPE)/ })]),
    /rolled back while a transaction of database was open: await every call/
  )
  await t.rejects(session.commit())
  t.equal(await database.repo(users).count(), 0)
})

t.test('the rollback waits for open transactions', async (t) => {
  const database = await open(t)
  const box = await sandbox(database)
  const hold = deferred()
  const work = database.transaction(async (session) => {
    await session.repo(users).create({ email: 'ada' })
    await hold.promise
  })
  await t.rejects(expectNoLeaks(database))
  const rollback = box.rollback()
  hold.resolve()
  await work
  await rollback

  t.equal(await database.repo(users).count(), 0)
})

t.test('an argument that is neither a server nor a database is refused', async (t) => {
  for (const given of [undefined, null, 0, '', [], {}, () => {}, Symbol('server'), Promise.resolve()]) {
    await t.rejects(sandbox(given as never), { name: 'UsageError', message: /^sandbox\(\) takes a Fastify server/ })
  }
})

t.test('a server loads its plugins first; a server without a database is refused', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const server = Fastify()
  t.teardown(() => server.close())
  server.register(dataAccess, { connectionString })
  await enterSandbox(t, server)
  await server.db.repo(users).create({ email: 'ada' })

  await t.rejects(sandbox(Fastify()), /register fastify-data-access at its root/)
})

t.test('closing the database rolls back', async (t) => {
  const database = await open(t)
  const box = await sandbox(database)
  await database.repo(users).create({ email: 'ada' })

  t.equal(await database.close(), true)
  await box.rollback()
})

t.test("a COMMIT in the user's own SQL ends the sandbox, with an error for every caller", async (t) => {
  const database = await open(t)
  const box = await sandbox(database)
  await t.rejects(database.transaction(async (session) => {
    await session.repo(users).create({ email: 'ada' })
    await session.execute(sql`commit`)
    await session.repo(users).create({ email: 'bob' })
  }), { code: 'DB_TRANSACTION_BROKEN' })

  await t.rejects(database.repo(users).count(), { code: 'DB_TRANSACTION_BROKEN', message: /has ended the transaction of the sandbox/ })
  await t.rejects(box.rollback(), /its committed rows stay: test code with a COMMIT/)
  t.strictSame((await database.repo(users).getAll()).map(({ email }) => email), ['ada'])
})

t.test('a lost connection loses everything in the sandbox, with an error', async (t) => {
  const database = await open(t)
  const box = await sandbox(database)
  await database.repo(users).create({ email: 'ada' })
  await t.rejects(database.execute(sql`select pg_terminate_backend(pg_backend_pid())`), { code: /DB_/ })

  await t.rejects(database.repo(users).count(), { code: 'DB_CONNECTION', message: /The sandbox has lost its connection/ })
  await t.resolves(expectNoLeaks(database))
  await box.rollback()
  t.equal(await database.repo(users).count(), 0)
})
