import { Socket } from 'node:net'
import { sql } from 'drizzle-orm'
import t from 'tap'
import { open } from '../helpers/database.js'
import { recordLog } from '../helpers/log-stream.js'
import { requestText, sendRaw } from '../helpers/raw-client.js'
import { users } from '../helpers/schema.js'
import { buildByProxy } from '../helpers/server.js'
import { until } from '../helpers/until.js'
import type { BuildOptions } from '../helpers/server.js'

const ada = { email: 'ada@example.com' }

/** The statement timeout; one second of silence after it destroys the connection. */
const impatient = { statementTimeoutSeconds: 0.5 }

async function buildWithLog (...[t, options]: [Parameters<typeof buildByProxy>[0], BuildOptions]) {
  const log = recordLog()
  const { server, proxy } = await buildByProxy(t, { ...options, server: { ...options.server, logger: log.logger } })
  server.get('/', async (request) => {
    await request.repo(users).create(ada)
    return await request.db.execute(sql`select 'in the middle'`)
  })
  return { server, proxy, log }
}

t.test('50: connections send TCP keep-alive probes after ten seconds of silence', async (t) => {
  const asked: unknown[][] = []
  const { setKeepAlive } = Socket.prototype
  Socket.prototype.setKeepAlive = function (...given) { asked.push(given); return setKeepAlive.apply(this, given) }
  t.teardown(async () => { Socket.prototype.setKeepAlive = setKeepAlive })

  const database = await open(t)
  await database.repo(users).count()

  t.ok(asked.length > 0)
  for (const given of asked) t.strictSame(given, [true, 10_000])
})

t.test('51: a network that falls silent in a transaction ends it with 503, and no row stays', async (t) => {
  const { server, proxy, log } = await buildWithLog(t, impatient)
  const lost = proxy.loseAnswer('in the middle', 'silence')

  const reply = await server.inject('/')

  await lost
  t.match(reply, { statusCode: 503, headers: { 'retry-after': '1' } })
  t.match(reply.json(), { code: 'DB_CONNECTION' })
  t.match(server.db.poolInfo, { total: 0, inUse: 0 })
  t.match(log.lines(40).filter(({ holder }) => holder !== undefined), [
    { msg: /^a statement was not answered .* the network is silent/, holder: 'GET /', reqId: 'req-1' }
  ])
  await proxy.resume()
  t.equal(await server.db.repo(users).count(), 0)
})

t.test('51: a network that also swallows the cancel ends the request with 503', async (t) => {
  const { server, proxy } = await buildWithLog(t, impatient)
  const lost = proxy.loseAnswer('in the middle', 'silence')
  const answer = server.inject('/')
  await lost
  proxy.blackHole()

  t.equal((await answer).statusCode, 503)
  await proxy.resume()
  await until(() => server.db.poolInfo.total === 0)
})

t.test('51: a network that falls silent at COMMIT leaves the outcome unknown, 500', async (t) => {
  const { server, proxy } = await buildWithLog(t, { transaction: { settleTimeoutMillis: 500 } })
  const lost = proxy.loseAnswer('commit', 'silence')

  const reply = await server.inject('/')

  await lost
  t.match(reply, { statusCode: 500, headers: { 'retry-after': undefined } })
  t.match(reply.json(), { code: 'DB_COMMIT_UNKNOWN' })
  t.match(server.db.poolInfo, { total: 0, inUse: 0 })
  await proxy.resume()
  t.equal(await server.db.repo(users).count(), 1)
})

t.test('53: a slow network is bounded by handlerTimeout, 503, and its connection destroyed', async (t) => {
  const { server, proxy } = await buildWithLog(t, { server: { handlerTimeout: 1000 }, transaction: { settleTimeoutMillis: 100 } })
  await server.listen({ host: '127.0.0.1', port: 0 })
  await server.db.repo(users).count()
  proxy.drip(100)

  const client = await sendRaw(server, requestText('GET', '/'))
  await client.ended

  t.match(client.text, /^HTTP\/1\.1 503 /)
  proxy.drip(0)
  await until(() => server.db.poolInfo.inUse === 0)
  t.match(server.db.poolInfo, { total: 0 })
  t.equal(await server.db.repo(users).count(), 0)
})

t.test('52: a reset in the middle of an answer is 503, in a transaction as well', async (t) => {
  const { server, proxy } = await buildWithLog(t, {})
  const lost = proxy.loseReady('in the middle', 'reset')

  const reply = await server.inject('/')

  await lost
  t.match(reply.json(), { statusCode: 503, code: 'DB_CONNECTION' })
  t.match(server.db.poolInfo, { total: 0, inUse: 0 })
  t.equal(await server.db.repo(users).count(), 0)
})

t.test('54: garbage in the middle of a transaction is 503, and the server goes on', async (t) => {
  const { server, proxy } = await buildWithLog(t, {})
  server.get('/garbled', async (request) => {
    await request.repo(users).create({ email: 'bob@example.com' })
    proxy.garble()
    return await request.db.execute(sql`select 1`)
  })

  await server.inject('/')
  t.match((await server.inject('/garbled')).json(), { statusCode: 503, code: 'DB_CONNECTION' })
  t.match(server.db.poolInfo, { total: 0, inUse: 0 })
  t.equal(await server.db.repo(users).count(), 1)
})

t.test('47: a write on a server that became a standby is 503, and its connection destroyed', async (t) => {
  const { server } = await buildWithLog(t, { pool: { size: 1, maxOverflow: 0 } })
  await server.db.execute(sql`set session characteristics as transaction read only`)

  const reply = await server.inject('/')

  t.match(reply, { statusCode: 503, headers: { 'retry-after': '1' } })
  t.match(reply.json(), { code: 'DB_CONNECTION' })
  t.match(server.db.poolInfo, { total: 0, inUse: 0 })
  t.equal((await server.inject('/')).statusCode, 200)
  t.equal(await server.db.repo(users).count(), 1)
})
