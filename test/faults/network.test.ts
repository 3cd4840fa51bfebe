import { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import t from 'tap'
import { beside } from '../helpers/backend.js'
import { open, openByProxy } from '../helpers/database.js'
import { holdCommits } from '../helpers/held-commit.js'
import { recordLog } from '../helpers/log-stream.js'
import { requestText, sendRaw } from '../helpers/raw-client.js'
import { users } from '../helpers/schema.js'
import { buildByProxy } from '../helpers/server.js'
import { until } from '../helpers/until.js'
import type { BuildOptions } from '../helpers/server.js'

const ada = { email: 'ada@example.com' }

/** PostgreSQL answers at once; a network that is silent for a second longer is given up. */
const impatient = { statementTimeoutSeconds: 0.5 }

/** Longer than the limit and the silence after it together, in seconds. */
const long = sql.raw('pg_sleep(2)')

async function buildWithLog (...[t, options]: [Parameters<typeof buildByProxy>[0], BuildOptions]) {
  const log = recordLog()
  const { server, proxy } = await buildByProxy(t, { ...options, server: { ...options.server, logger: log.logger } })
  server.get('/', async (request) => {
    await request.repo(users).create(ada)
    return await request.db.execute(sql`select 'in the middle'`)
  })
  return { server, proxy, log }
}

t.test('50: connections ask after ten seconds of silence whether the other side is still there', async (t) => {
  const asked: unknown[][] = []
  const { setKeepAlive } = Socket.prototype
  Socket.prototype.setKeepAlive = function (...given) { asked.push(given); return setKeepAlive.apply(this, given) }
  t.teardown(async () => { Socket.prototype.setKeepAlive = setKeepAlive })

  const database = await open(t)
  await database.repo(users).count()

  t.ok(asked.length > 0)
  for (const given of asked) t.strictSame(given, [true, 10_000])
})

t.test('51: a network that falls silent in the middle of a transaction is given up, 503, and nothing stays', async (t) => {
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

t.test('51: also where the network stays silent, for the cancel too', async (t) => {
  const { server, proxy } = await buildWithLog(t, impatient)
  const lost = proxy.loseAnswer('in the middle', 'silence')
  const answer = server.inject('/')
  await lost
  proxy.blackHole()

  t.equal((await answer).statusCode, 503)
  await proxy.resume()
  await until(() => server.db.poolInfo.total === 0)
})

t.test('51: a write that commits by itself is unknown when the network falls silent; a read is not', async (t) => {
  const { database, proxy } = await openByProxy(t, impatient)
  const lost = [proxy.loseAnswer('insert into', 'silence'), proxy.loseAnswer('count(*)', 'silence')]

  await Promise.all([
    t.rejects(database.repo(users).create(ada), { code: 'DB_COMMIT_UNKNOWN', statusCode: 500 }),
    t.rejects(database.repo(users).count(), { code: 'DB_CONNECTION', statusCode: 503 }),
    ...lost
  ])

  t.match(database.poolInfo, { total: 0, inUse: 0 })
  await proxy.resume()
  t.equal(await database.repo(users).count(), 1, 'it was written')
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

t.test('51: COMMIT may take longer than a statement: its limit is settleTimeoutMillis', async (t) => {
  const database = await open(t, { ...impatient, transaction: { settleTimeoutMillis: 3_600_000 } })
  const commits = await holdCommits(t, database)
  const work = database.session((session) => session.repo(users).create(ada))
  await commits.reached()
  await beside(database, 'set statement_timeout to 0; select pg_sleep(2)')
  await commits.release()

  t.match(await work, ada)
  t.match(database.poolInfo, { total: 1, idle: 1 })
})

t.test('51: a limit that does not hold on the server is ours: the statement is cancelled, and its connection given up', async (t) => {
  const database = await open(t, impatient)
  await database.execute(sql`create function unlimited () returns void language sql as $$ select set_config('statement_' || 'timeout', '0', true) $$`)
  const session = database.createSession()
  await session.execute(sql`select unlimited()`)

  await t.rejects(session.execute(sql`select pg_sleep(60)`), { code: 'DB_TIMEOUT' })

  await t.rejects(session.commit(), { code: 'DB_CONNECTION' })
  t.match(database.poolInfo, { total: 0 })
})

t.test('51: who raises the limit by SQL is not cut, nor who has several statements in one text', async (t) => {
  const database = await open(t, impatient)
  const raising = [
    sql`SET LOCAL Statement_Timeout TO 0`,
    sql`select set_config('statement_timeout', '0', true)`,
    sql`select set_config(${'statement_timeout'}, ${'0'}, true)`
  ]
  await Promise.all([
    ...raising.map((raise) => t.resolves(database.session(async (session) => {
      await session.execute(raise)
      await session.execute(sql`select ${long}`)
    }))),
    t.resolves(database.execute(sql.raw('select pg_sleep(0.05);'.repeat(40))))
  ])
})

t.test('51: a limit that was raised for the session of the server holds until that is reset', async (t) => {
  const database = await open(t, { ...impatient, pool: { size: 1, maxOverflow: 0, resetOnRelease: true } })
  const [connection, other] = await Promise.all([open(t, { ...impatient, pool: { size: 1, maxOverflow: 0 } }), database])
  await connection.execute(sql`set statement_timeout to 0`)
  await other.execute(sql`set statement_timeout to 0`)

  await Promise.all([
    t.resolves(connection.execute(sql`select ${long}`)),
    t.rejects(other.execute(sql`select ${long}`), { code: 'DB_TIMEOUT' })
  ])
})

t.test('51: where the limit travels with BEGIN, only statements in a transaction have one', async (t) => {
  const { database, proxy } = await openByProxy(t, { ...impatient, preparedStatements: false })
  const lost = proxy.loseAnswer('in the middle', 'silence')

  await Promise.all([
    t.resolves(database.execute(sql`select ${long}`)),
    t.rejects(database.session((session) => session.execute(sql`select 'in the middle'`)), { code: 'DB_CONNECTION' }),
    lost
  ])
  await proxy.resume()
})

t.test('51: who has not listened calls nobody silent: an answer that came while the process stood still is read', async (t) => {
  const { database, proxy } = await openByProxy(t, { statementTimeoutSeconds: 0.5 })
  const client = await database.pool.connect()
  client.release()
  proxy.delay(1500)
  const answer = database.execute(sql`select 'in time' as answer`)
  // Its limit has passed, and the first look at the silence; then nothing in this process runs until the answer is there.
  await wait(1200)
  const standsStillUntil = performance.now() + 1500
  while (performance.now() < standsStillUntil);

  t.match((await answer).rows, [{ answer: 'in time' }])
  proxy.delay(0)
  t.match(database.poolInfo, { total: 1, idle: 1 })
})

t.test('53: an answer that comes slowly is waited for as long as bytes come', async (t) => {
  const { database, proxy } = await openByProxy(t, { statementTimeoutSeconds: 1 })
  await database.repo(users).count()
  proxy.drip(10)

  // It takes longer than the limit and the longest silence after it together.
  t.match(await database.execute(sql.raw(`select '${'x'.repeat(300)}' as text`)), { rowCount: 1 })
  t.match(database.poolInfo, { total: 1, idle: 1 })
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

t.test('52: a reset in the middle of an answer is 503, also in a transaction', async (t) => {
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

t.test('47: a write on a server that has become a read-only standby is 503, and its connection destroyed, so that the next one finds the primary', async (t) => {
  const { server } = await buildWithLog(t, { pool: { size: 1, maxOverflow: 0 } })
  await server.db.execute(sql`set session characteristics as transaction read only`)

  const reply = await server.inject('/')

  t.match(reply, { statusCode: 503, headers: { 'retry-after': '1' } })
  t.match(reply.json(), { code: 'DB_CONNECTION' })
  t.match(server.db.poolInfo, { total: 0, inUse: 0 })
  t.equal((await server.inject('/')).statusCode, 200)
  t.equal(await server.db.repo(users).count(), 1)
})
