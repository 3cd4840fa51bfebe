import { Client } from 'pg'
import t from 'tap'
import { PoolTimeoutError } from '../../src/errors/errors.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { connectionsOf } from '../helpers/connections.js'
import { recordLog } from '../helpers/log-stream.js'
import { recordingLogger } from '../helpers/logger.js'
import { caller, openPool, run } from '../helpers/pool.js'
import { startProxy } from '../helpers/proxy.js'
import { users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'
import { until } from '../helpers/until.js'
import type { FastifyInstance } from 'fastify'
import type { ConnectionPool } from '../../src/pool/connection-pool.js'

const one = { size: 1, maxOverflow: 0 }
const ada = { email: 'ada@example.com' }
const grace = { email: 'grace@example.com' }
const busy = { code: 'DB_POOL_TIMEOUT', statusCode: 503, retryable: true, headers: { 'retry-after': /^\d+$/ } }

/** Waits for a connection that never comes; resolves with the error if it came at most 50 ms after the limit. */
async function refusal (pool: ConnectionPool, limitMillis: number): Promise<unknown> {
  let isLate = false
  // Timers run in the order in which they are due, even on a slow machine.
  const latest = setTimeout(() => { isLate = true }, limitMillis + 50)
  const error = await pool.connect(caller).catch((error: unknown) => error)
  clearTimeout(latest)
  return isLate ? 'came too late' : error
}

t.test('39: each of many requests is refused within the limit plus 50 ms, and leaves the queue', async (t) => {
  const pool = await openPool(t, { pool: { ...one, timeoutSeconds: 1, maxWaiting: 100 } })
  const held = await pool.connect(caller)
  const refusals = []
  for (let count = 0; count < 100; count++) {
    refusals.push(refusal(pool, 1000))
    if (count % 10 === 0) await run(held, 'select 1')
  }

  for (const error of await Promise.all(refusals)) {
    t.ok(error instanceof PoolTimeoutError, String(error))
    t.match(error, busy)
  }

  t.match(pool.info, { waiting: 0, inUse: 1 })
  held.release()
  t.match(pool.info, { total: 1, idle: 1 })
})

t.test('39: a request that waited in vain is answered 503 with Retry-After, and wrote nothing', async (t) => {
  const server = await build(t, { pool: { ...one, timeoutSeconds: 1 } })
  server.post('/', (request) => request.repo(users).create(ada))
  const holder = server.db.createSession()
  await holder.begin()

  const reply = await server.inject({ method: 'POST', url: '/' })

  t.match(reply, { statusCode: 503, headers: { 'retry-after': /^[1-9]\d*$/ } })
  t.match(reply.json(), { code: 'DB_POOL_TIMEOUT', message: 'The database is busy: try again' })
  await holder.close()
  t.equal((await server.inject({ method: 'POST', url: '/' })).statusCode, 200, 'the next one is served')
  t.equal(await server.db.repo(users).count(), 1)
})

t.test('39: with a full queue a request is refused at once, until a waiter has left', async (t) => {
  const pool = await openPool(t, { pool: { ...one, maxWaiting: 2 } })
  const held = await pool.connect(caller)
  const served: string[] = []
  const refusals: Array<{ name: string, error: Error }> = []
  const ask = (name: string) => pool.acquire({
    caller,
    lend: (connection) => { served.push(name); connection.release() },
    refuse: (error) => { refusals.push({ name, error }) }
  })

  const giveUp = ask('first')
  ask('second')
  ask('third')
  t.match(refusals, [{ name: 'third', error: busy }], 'in the same moment')
  t.match(pool.info, { waiting: 2 })

  giveUp(new Error('gone'))
  t.match(refusals[1], { name: 'first', error: { message: 'gone' } })
  t.match(pool.info, { waiting: 1 })
  ask('fourth')
  held.release()
  await until(() => served.length === 2)

  t.same(served, ['second', 'fourth'])
  t.equal(refusals.length, 2)
  t.match(pool.info, { total: 1, idle: 1, waiting: 0 })
})

t.test('40: a request that needs a second connection from a pool of one is 503, its holder logged', async (t) => {
  const log = recordLog()
  const server = await build(t, { pool: { ...one, timeoutSeconds: 1 }, server: { logger: log.logger } })
  server.post('/', async (request) => {
    await request.repo(users).create(ada)
    await server.db.repo(users).create(grace)
  })
  const connections = connectionsOf(server.db)

  const reply = await server.inject({ method: 'POST', url: '/' })

  t.equal(reply.statusCode, 503)
  t.match(reply.json(), { code: 'DB_POOL_TIMEOUT' })
  t.notMatch(reply.body, /exhaustion\.test/, 'the stack is for the log')
  t.strictSame(connections(), { acquired: 1, destroyed: 0 })
  const warnings = log.lines(40).filter(({ msg }) => msg.includes('connections were held'))
  t.equal(warnings.length, 1)
  t.match(warnings, [{
    level: 40,
    msg: /use request\.db or the scope, open no second transaction inside one.* raise pool\.size/,
    waited: 'database',
    holdsOneItself: false,
    stack: /exhaustion\.test\.ts/,
    refused: 1,
    waiting: 0,
    max: 1,
    inUse: 1,
    holders: [{ holder: 'POST /', connections: 1, heldSeconds: Number, idleInTransaction: 1, stack: /exhaustion\.test\.ts/ }]
  }])
  t.notMatch(JSON.stringify(warnings), /src\/|plugins\/|node_modules|node:|@example/, 'the user\'s own frames, and no value')
  t.equal(await server.db.repo(users).count(), 0)
})

t.test('40: a request that calls another route from a pool of one is answered, as is the other', async (t) => {
  const log = recordLog()
  const server = await build(t, { pool: { ...one, timeoutSeconds: 1 }, server: { logger: log.logger } })
  server.post('/outer', async (request, reply) => {
    await request.repo(users).create(ada)
    const { statusCode } = await server.inject({ method: 'POST', url: '/inner' })
    return reply.code(statusCode).send()
  })
  server.post('/inner', (request) => request.repo(users).create(grace))

  t.equal((await server.inject({ method: 'POST', url: '/outer' })).statusCode, 503)

  t.match(log.lines(40).filter(({ holders }) => holders !== undefined), [{ waited: 'POST /inner', holders: [{ holder: 'POST /outer', idleInTransaction: 1 }] }])
  t.equal(await server.db.repo(users).count(), 0)
})

t.test('40: if waiters are certain to hold a connection themselves, the log says so', async (t) => {
  const another: Record<string, (server: FastifyInstance) => Promise<unknown>> = {
    statement: ({ db }) => db.repo(users).create(grace),
    session: ({ db }) => db.session((session) => session.repo(users).create(grace)),
    request: (server) => server.inject({ method: 'POST', url: '/other' })
  }
  for (const [name, waitForAnother] of Object.entries(another)) {
    const log = recordLog()
    const server = await build(t, { pool: { ...one, timeoutSeconds: 1 }, server: { logger: log.logger } })
    server.post('/other', (request) => request.repo(users).create(grace))
    server.post('/', async (request, reply) => {
      await request.transaction(async (scope) => {
        await scope.repo(users).create(ada)
        await waitForAnother(server).catch((error: unknown) => t.match(error, busy, name))
      })
      return reply.code(409).send()
    })

    await server.inject({ method: 'POST', url: '/' })

    t.match(log.lines(40).filter(({ holders }) => holders !== undefined), [{
      msg: /^a request that holds a database connection waited in vain for another one: use request\.db, or the scope/,
      waited: name === 'request' ? 'POST /other' : 'database',
      holdsOneItself: true,
      holders: [{ holder: 'POST /', idleInTransaction: 1 }]
    }], name)
  }
})

t.test('40: a thousand timeouts are logged once, with the holders of the connections', async (t) => {
  const logger = recordingLogger()
  const pool = await openPool(t, { pool: { size: 3, maxOverflow: 0, timeoutSeconds: 1, maxWaiting: 1000 }, logger })
  const [report, other] = await Promise.all([pool.connect({ logger, label: 'GET /reports' }), pool.connect({ logger, label: 'GET /reports' })])
  await run(report, 'begin')
  const running = run(other, 'select pg_sleep(30)')
  const client = await pool.pool.connect()
  await client.query('begin')

  const waiting = Array.from({ length: 1000 }, (_, position) => pool.connect({ logger, label: `GET /${position}` }).catch((error: unknown) => error))
  await Promise.all(waiting)

  t.equal(logger.lines.length, 1)
  t.match(logger.lines, [{
    level: 'warn',
    message: /all database connections were held/,
    context: {
      waited: 'GET /0',
      refused: Number,
      max: 3,
      inUse: 3,
      holders: [
        { holder: 'GET /reports', connections: 2, idleInTransaction: 1 },
        { holder: 'pool.connect()', connections: 1, idleInTransaction: 0 }
      ]
    }
  }])

  const first = Number(logger.lines[0]?.context['refused'])
  let later = 0
  while (logger.lines.length === 1) {
    await pool.connect(caller).catch(() => {})
    later++
  }
  t.match(logger.lines[1], { context: { refused: 1000 - first + later } }, 'after a while again, with all who were refused meanwhile')
  await client.query('rollback')
  client.release()
  await run(report, 'rollback')
  report.release()
  other.destroy()
  await running
})

t.test('40: parallel reads of one session that wait in vain for each other say so', async (t) => {
  const logger = recordingLogger()
  const server = await build(t, { pool: { ...one, timeoutSeconds: 1 }, logger })
  const locker = new Client(server.db.pool.options)
  await locker.connect()
  t.teardown(() => locker.end())
  await locker.query('begin')
  await locker.query('lock table users')

  const session = server.db.createSession()
  const [first, second] = [session.repo(users).count(), session.repo(users).count()]
  await t.rejects(second, busy)
  await locker.query('rollback')
  await first
  await session.close()

  t.match(logger.lines, [{ context: { holdsOneItself: true, holders: [{ holder: 'database', connections: 1, idleInTransaction: 0 }] } }])
})

t.test('40: if no connection can be opened, the log names no holder', async (t) => {
  const logger = recordingLogger()
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString, pool: { ...one, timeoutSeconds: 0.1 }, logger })
  proxy.blackHole()

  await t.rejects(pool.connect(caller), busy)

  t.match(logger.lines, [{ level: 'warn', message: 'no database connection could be opened within the wait limit', context: { inUse: 0, holders: [] } }])
})
