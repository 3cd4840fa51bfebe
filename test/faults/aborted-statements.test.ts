import { sql } from 'drizzle-orm'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { connectionsOf } from '../helpers/connections.js'
import { deferred } from '../helpers/deferred.js'
import { recordLog } from '../helpers/log-stream.js'
import { requestText, sendRaw } from '../helpers/raw-client.js'
import { users } from '../helpers/schema.js'
import { build, buildByProxy } from '../helpers/server.js'
import { until } from '../helpers/until.js'
import { backendsOf } from '../helpers/watch.js'

const ada = { email: 'ada@example.com' }

const reused = { acquired: 1, destroyed: 0 }
const destroyed = { acquired: 1, destroyed: 1 }
const none = { acquired: 0, destroyed: 0 }

const count = (server: FastifyInstance) => server.db.repo(users).count()
const idle = (server: FastifyInstance) => until(() => server.db.poolInfo.inUse === 0 && server.db.poolInfo.waiting === 0)

/** Whether a statement of the test is running. */
async function runs (server: FastifyInstance, text: string): Promise<boolean> {
  const { rows } =
    await server.db.execute(sql`select from pg_stat_activity where datname = current_database() and state = 'active' and pid <> pg_backend_pid() and query like ${`%${text}%`}`)
  return rows.length > 0
}

t.test('33: a client that leaves during a query has it cancelled, in a transaction and outside', async (t) => {
  const log = recordLog()
  const server = await build(t, { echo: true, server: { logger: log.logger } })
  server.post('/inside', async (request) => {
    await request.repo(users).create(ada)
    await request.db.execute(sql`select pg_sleep(60)`)
  })
  server.get('/outside', (request) => request.repo(users).getAll())
  // Opens the connections that the test itself uses beforehand.
  const sessions = [1, 2, 3].map(() => server.db.createSession())
  await Promise.all(sessions.map((session) => session.begin()))
  await Promise.all(sessions.map((session) => session.close()))
  const backends = new Set(backendsOf(server.db.pool))

  const writer = await sendRaw(server, requestText('POST', '/inside'))
  await until(() => runs(server, 'pg_sleep(60)'))
  await writer.leave()
  await until(async () => !await runs(server, 'pg_sleep(60)'))
  await idle(server)
  const sent = log.lines(30).filter(({ msg, reqId }) => msg.endsWith('statement') && reqId === 'req-1').map(({ statement }) => String(statement).split(' ')[0])
  t.strictSame(sent, ['begin;', 'select', 'rollback'])

  await server.db.session(async (holder) => {
    await holder.execute(sql`lock table users`)
    const reader = await sendRaw(server, requestText('GET', '/outside'))
    await until(() => runs(server, 'from "users"'))
    await reader.leave()
    await until(async () => !await runs(server, 'from "users"'))
  })
  await idle(server)
  t.strictSame(new Set(backendsOf(server.db.pool)), backends, 'every connection is used again')
  t.equal(await count(server), 0)
})

t.test('33: if the network is silent, so that a cancel fails, the connection is destroyed', async (t) => {
  const { server, proxy } = await buildByProxy(t, { transaction: { settleTimeoutMillis: 100 } })
  const [began, rejected] = [deferred(), deferred<unknown>()]
  server.post('/', async (request) => {
    await request.repo(users).create(ada)
    proxy.blackHole()
    began.resolve()
    await request.db.execute(sql`select pg_sleep(60)`).catch(rejected.resolve)
  })
  const connections = connectionsOf(server.db)
  const client = await sendRaw(server, requestText('POST', '/'))
  await began.promise

  await client.leave()

  t.match(await rejected.promise, { code: /^DB_(CONNECTION|TRANSACTION_CLOSED)$/ })
  await idle(server)
  t.strictSame(connections(), destroyed)
  proxy.cut()
  await proxy.resume()
  t.equal(await count(server), 0)
})

t.test('34: a client that leaves while it waits for a connection leaves the line', async (t) => {
  const server = await build(t, { pool: { size: 1, maxOverflow: 0 } })
  const refused = deferred<unknown>()
  server.post('/', async (request) => { await request.repo(users).create(ada).catch(refused.resolve) })
  const holder = server.db.createSession()
  await holder.begin()
  const connections = connectionsOf(server.db)
  const client = await sendRaw(server, requestText('POST', '/'))
  await until(() => server.db.poolInfo.waiting === 1)

  await client.leave()

  t.match(await refused.promise, { code: 'DB_TRANSACTION_CLOSED' })
  t.match(server.db.poolInfo, { waiting: 0, inUse: 1 })
  await holder.close()
  await idle(server)
  t.strictSame(connections(), none, 'none was lent to nobody')
  t.equal(await count(server), 0)
})

t.test('34: a connection that is still being opened for a client that left joins the pool', async (t) => {
  const { server, proxy } = await buildByProxy(t, { pool: { size: 2, maxOverflow: 0 } })
  const refused = deferred<unknown>()
  server.post('/', async (request) => { await request.repo(users).create(ada).catch(refused.resolve) })
  const holder = server.db.createSession()
  await holder.begin()
  const connections = connectionsOf(server.db)
  proxy.blackHole()
  const { accepted } = proxy
  const client = await sendRaw(server, requestText('POST', '/'))
  await until(() => proxy.accepted > accepted)

  await client.leave()

  t.match(await refused.promise, { code: 'DB_TRANSACTION_CLOSED' })
  await proxy.resume()
  await until(() => server.db.poolInfo.idle === 1)
  t.match(server.db.poolInfo, { total: 2, idle: 1, inUse: 1, waiting: 0 })
  t.strictSame(connections(), reused, 'released on arrival')
  await holder.close()
  t.equal(await count(server), 0)
})

t.test('34: also with begin: \'onRequest\', where the handler is never reached', async (t) => {
  const server = await build(t, { pool: { size: 1, maxOverflow: 0 }, transaction: { begin: 'onRequest' } })
  server.post('/', async () => { t.fail('the handler must not run') })
  const holder = server.db.createSession()
  await holder.begin()
  const client = await sendRaw(server, requestText('POST', '/'))
  await until(() => server.db.poolInfo.waiting === 1)

  await client.leave()

  await until(() => server.db.poolInfo.waiting === 0)
  await holder.close()
  t.match(server.db.poolInfo, { waiting: 0, inUse: 0 })
})
