import { sql } from 'drizzle-orm'
import t from 'tap'
import { openDatabase } from '../../src/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { beside, ended, running } from '../helpers/backend.js'
import { open } from '../helpers/database.js'
import { deferred } from '../helpers/deferred.js'
import { holdCommits } from '../helpers/held-commit.js'
import { recordingLogger } from '../helpers/logger.js'
import { startProxy } from '../helpers/proxy.js'
import { schema, tables, users } from '../helpers/schema.js'
import { until } from '../helpers/until.js'

const ada = { email: 'ada@example.com' }

t.test('79: close() lets a running session finish, and refuses new ones', async (t) => {
  const database = await open(t)
  const started = deferred()
  const goOn = deferred()
  const work = database.session(async (session) => {
    await session.repo(users).create(ada)
    started.resolve()
    await goOn.promise
    await session.repo(users).create({ email: 'bob@example.com' })
  })
  await started.promise

  const closing = database.close()
  goOn.resolve()
  await work
  await closing

  await t.rejects(database.repo(users).count(), { code: 'DB_CONNECTION', message: 'The database was closed' })
  t.match(await beside(database, 'select count(*)::int as total from users'), [{ total: 2 }])
})

t.test('79: close() lets callers that wait for a connection finish', async (t) => {
  const database = await open(t, { pool: { size: 1, maxOverflow: 0 } })
  const work = Array.from({ length: 10 }, (_, position) => database.session((session) => session.repo(users).create({ email: `${position}@example.com` })))

  await database.close()

  t.equal((await Promise.all(work)).length, 10)
})

t.test('79: close() waits for callbacks after a commit', async (t) => {
  const database = await open(t)
  let done = false
  await database.session(async (session) => {
    await session.repo(users).create(ada)
    session.afterCommit(async () => {
      await beside(database, 'select pg_sleep(0.1)')
      done = true
    })
  })

  await database.close()

  t.equal(done, true)
})

t.test('80: a session that hangs is ended after drainTimeoutSeconds, undone, and its caller named', async (t) => {
  const logger = recordingLogger()
  const database = await open(t, { drainTimeoutSeconds: 0.05, logger })
  const session = database.createSession()
  await session.repo(users).create(ada)

  await database.close()

  t.match(logger.lines, [{ level: 'error', message: /closing took too long/, context: { holder: 'database' } }])
  await t.rejects(session.repo(users).create({ email: 'bob@example.com' }), { code: 'DB_CONNECTION' })
  await t.rejects(session.commit(), { code: 'DB_CONNECTION' })
  t.match(await beside(database, 'select count(*)::int as total from users'), [{ total: 0 }])
})

t.test('80: a statement that hangs is ended, and so is a callback that never does', async (t) => {
  const database = await open(t, { drainTimeoutSeconds: 0.05 })
  await database.session(async (session) => {
    await session.repo(users).create(ada)
    session.afterCommit(() => new Promise(() => {}))
  })
  const query = database.execute(sql`select pg_sleep(30)`)
  await running(database, 'pg_sleep')

  await database.close()

  await t.rejects(query, { code: 'DB_COMMIT_UNKNOWN' }, 'a statement may have been a write')
  await ended(database, 'pg_sleep')
})

t.test('80: close() also ends running statements in PostgreSQL, and so releases their locks', async (t) => {
  const database = await open(t, { drainTimeoutSeconds: 0.05, statementTimeoutSeconds: 0 })
  const session = database.createSession()
  await session.repo(users).create(ada)
  const client = await database.pool.connect()
  const cut = [
    t.rejects(session.execute(sql`select pg_sleep(3600), 'in a session'`), { code: 'DB_CONNECTION' }),
    t.rejects(client.query("select pg_sleep(3600), 'by hand'"))
  ]
  await Promise.all([running(database, 'in a session'), running(database, 'by hand')])

  await database.close()

  await Promise.all(cut)
  await Promise.all([ended(database, 'in a session'), ended(database, 'by hand')])
  await beside(database, 'begin; lock table users in access exclusive mode nowait; rollback')
  client.release()
})

t.test('80: with drainTimeoutSeconds 0 nothing is waited for', async (t) => {
  const database = await open(t, { drainTimeoutSeconds: 0 })
  const session = database.createSession()
  await session.repo(users).create(ada)
  await database.close()
  await session.close()
  t.match(await beside(database, 'select count(*)::int as total from users'), [{ total: 0 }])
})

t.test('80: close() cuts idle connections that a silent network keeps from closing', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const proxy = await startProxy(t, connectionString)
  const database = await openDatabase({ connectionString: proxy.connectionString, schema, drainTimeoutSeconds: 0.05 })
  await database.repo(users).count()
  const open = proxy.open
  proxy.blackHole()

  await database.close()

  t.match(database.poolInfo, { total: 0 })
  t.ok(open > 0)
  await proxy.resume()
  await until(() => proxy.open === 0)
})

t.test('80: close() returns over a silent network, with busy connections and ones being opened', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const proxy = await startProxy(t, connectionString)
  const database = await openDatabase({ connectionString: proxy.connectionString, schema, drainTimeoutSeconds: 0.05 })
  await database.checkHealth()
  const session = database.createSession()
  await session.repo(users).create(ada)

  proxy.blackHole()
  const lost = [session.repo(users).count(), database.repo(users).count(), ...Array.from({ length: 4 }, () => database.repo(users).count())]
  await database.close()

  for (const query of lost) await t.rejects(query, { code: 'DB_CONNECTION' })
  await session.rollback()
  t.match(database.poolInfo, { waiting: 0 })
})

t.test('81: close() awaits a COMMIT under way', async (t) => {
  const database = await open(t)
  const commits = await holdCommits(t, database)
  const work = database.session((session) => session.repo(users).create(ada))
  await commits.reached()

  const closing = database.close()
  await commits.release()
  await closing

  t.match(await work, ada)
  t.match(await beside(database, 'select count(*)::int as total from users'), [{ total: 1 }])
})

t.test('81: a COMMIT under way is awaited also beyond drainTimeoutSeconds, up to settleTimeoutMillis', async (t) => {
  const logger = recordingLogger()
  const database = await open(t, { drainTimeoutSeconds: 0.05, logger })
  const commits = await holdCommits(t, database)
  const work = database.session((session) => session.repo(users).create(ada))
  const other = database.createSession()
  await other.execute(sql`select 1`)
  await commits.reached()

  let isClosed = false
  const closing = database.close().then(() => { isClosed = true })
  await t.rejects(async () => { for (;;) await other.execute(sql`select 1`) }, { code: 'DB_CONNECTION' }, 'the time is over: others are ended')
  t.notOk(isClosed)
  await commits.release()

  t.match(await work, ada)
  await closing
  t.match(logger.lines, [{ level: 'error', message: /closing took too long/ }])
  t.equal(logger.lines.length, 1, 'the commit is none of those that were ended')
  t.match(await beside(database, 'select count(*)::int as total from users'), [{ total: 1 }])
})

t.test('81: a COMMIT that is not answered within settleTimeoutMillis does not keep close() either', async (t) => {
  const database = await open(t, { drainTimeoutSeconds: 0.05, transaction: { settleTimeoutMillis: 500 } })
  const commits = await holdCommits(t, database)
  const work = t.rejects(database.session((session) => session.repo(users).create(ada)), { code: 'DB_COMMIT_UNKNOWN' })
  await commits.reached()

  await database.close()

  await work
  t.match(database.poolInfo, { total: 0 })
  await commits.release()
})

t.test('82: close() called twice, also with work in flight, is one closing', async (t) => {
  const database = await open(t)
  const work = database.execute(sql`select pg_sleep(0.02)`)
  await Promise.all([database.close(), database.close()])
  await work
  await database.close()
})
