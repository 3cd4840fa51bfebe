import { sql } from 'drizzle-orm'
import t from 'tap'
import { deferred } from '../helpers/deferred.js'
import { holdCommits } from '../helpers/held-commit.js'
import { recordLog } from '../helpers/log-stream.js'
import { requestText, sendRaw } from '../helpers/raw-client.js'
import { users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'
import { openDatabase } from '../../src/index.js'
import { until } from '../helpers/until.js'
import type { Database } from '../../src/index.js'

const ada = { email: 'ada@example.com' }

/** A second connection to the same database, which stays open after the server has closed. */
async function observe (t: { teardown (fn: () => Promise<unknown>): unknown }, { db }: { db: Database }): Promise<Database> {
  const { host, port, user, password, database } = db.pool.options
  const url = new URL(`postgresql://${host}:${port}/${database}`)
  url.username = String(user)
  url.password = String(password ?? '')
  const observer = await openDatabase({ connectionString: url.href, pool: { size: 1, maxOverflow: 0 } })
  t.teardown(() => observer.close())
  return observer
}

t.test('79: close() lets requests in flight finish, also one whose first query is still to come', async (t) => {
  const server = await build(t)
  const observer = await observe(t, server)
  const [came, closing] = [deferred(), deferred()]
  server.post('/:email', async (request) => {
    if (request.url === '/early') await request.repo(users).create({ email: 'early' })
    else came.resolve()
    await closing.promise
    return request.repo(users).create({ email: `${request.url} again` })
  })
  const clients = [await sendRaw(server, requestText('POST', '/early')), await sendRaw(server, requestText('POST', '/late'))]
  await came.promise
  await until(() => server.db.poolInfo.inUse === 1)

  const callSite = server.listeningOrigin
  const closed = server.close()
  await t.rejects(fetch(`${callSite}/new`, { method: 'POST' }), 'a new one is refused')
  closing.resolve()
  await closed

  for (const client of clients) {
    await client.ended
    t.match(client.text, /^HTTP\/1.1 200/)
  }
  t.equal(await observer.repo(users).count(), 3)
  t.equal(server.db.poolInfo.total, 0)
})

t.test('80: a handler that hangs is undone after drainTimeoutSeconds, and the log names its route', async (t) => {
  const log = recordLog()
  const server = await build(t, { drainTimeoutSeconds: 0.1, server: { logger: log.logger } })
  const observer = await observe(t, server)
  const wrote = deferred()
  server.post('/hangs/:id', async (request) => {
    await request.repo(users).create(ada)
    wrote.resolve()
    await request.db.execute(sql`select pg_sleep(60)`)
  })
  const answer = server.inject({ method: 'POST', url: '/hangs/7' })
  await wrote.promise

  await server.close()

  t.equal(await server.db.close(), false, 'not everything could finish')
  t.match((await answer).json(), { statusCode: 503, code: 'DB_CONNECTION' })
  t.match(log.lines(50).filter(({ holder }) => holder !== undefined), [{ holder: 'POST /hangs/:id' }])
  t.equal(await observer.repo(users).count(), 0)
})

t.test('81: a COMMIT under way is awaited', async (t) => {
  const server = await build(t)
  const observer = await observe(t, server)
  const held = await holdCommits(t, server.db)
  server.post('/', (request) => request.repo(users).create(ada))
  const answer = server.inject({ method: 'POST', url: '/' })
  await held.reached()

  const closed = server.close()
  await held.release()
  await closed

  t.match((await answer), { statusCode: 200 })
  t.equal(await observer.repo(users).count(), 1)
})

t.test('81: a COMMIT under way is answered also beyond drainTimeoutSeconds', async (t) => {
  const log = recordLog()
  const server = await build(t, { drainTimeoutSeconds: 0.05, pool: { size: 1, maxOverflow: 0 }, server: { logger: log.logger } })
  const observer = await observe(t, server)
  const held = await holdCommits(t, server.db)
  server.post('/', (request) => request.repo(users).create(ada))
  const client = await sendRaw(server, requestText('POST', '/'))
  await held.reached()

  const closed = server.close()
  // The call waits for the only connection until its time is over.
  await t.rejects(server.db.repo(users).count(), { message: 'The database was closed' })
  await held.release()
  await closed

  await client.ended
  t.match(client.text, /^HTTP\/1\.1 200 .*ada@example\.com/s)
  t.equal(await observer.repo(users).count(), 1)
  t.strictSame(log.lines(50), [])
  t.equal(server.db.poolInfo.total, 0)
})

t.test('82: close() called twice, of server and database, is defined', async (t) => {
  const server = await build(t)
  await Promise.all([server.close(), server.db.close(), server.close()])
  await server.close()
  t.equal(await server.db.close(), true, 'everything could finish')

  await t.rejects(server.db.repo(users).count(), { code: 'DB_CONNECTION', message: 'The database was closed' })
})

t.test('rule 18: callbacks after a commit are awaited by close()', async (t) => {
  const server = await build(t)
  const [started, ends] = [deferred(), deferred()]
  let isDone = false
  server.post('/', async (request) => {
    request.db.afterCommit(async () => {
      started.resolve()
      await ends.promise
      isDone = true
    })
    return request.repo(users).create(ada)
  })

  t.equal((await server.inject({ method: 'POST', url: '/' })).statusCode, 200)
  await started.promise
  t.notOk(isDone, 'the reply did not wait')
  const closed = server.close()
  ends.resolve()
  await closed
  t.ok(isDone)
})
