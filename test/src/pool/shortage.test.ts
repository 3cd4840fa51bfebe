import t from 'tap'
import { openDatabase } from '../../../src/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { createLimitedRole } from '../../helpers/limited-role.js'
import { recordingLogger } from '../../helpers/logger.js'
import { backendOf, caller, openPool } from '../../helpers/pool.js'
import { startProxy } from '../../helpers/proxy.js'
import { users } from '../../helpers/schema.js'
import { until } from '../../helpers/until.js'
import type { Connection } from '../../../src/connection/connection.js'
import type { ConnectionPool } from '../../../src/pool/connection-pool.js'
import type { Proxy } from '../../helpers/proxy.js'

/** Requests this number of connections at once, each for a moment, and returns the number of served callers. */
async function serve (pool: ConnectionPool, askers: number): Promise<number> {
  const answers = await Promise.allSettled(Array.from({ length: askers }, async () => {
    const connection = await pool.connect(caller)
    await backendOf(connection)
    connection.release()
  }))
  return answers.filter(({ status }) => status === 'fulfilled').length
}

function take (pool: ConnectionPool, connections: number): Promise<Connection[]> {
  return Promise.all(Array.from({ length: connections }, () => pool.connect(caller)))
}

/** A part of the first message over a new connection. */
const startup = 'client_encoding'

t.test('108: a pool larger than the server\'s limit serves all callers, and warns once', async (t) => {
  const { connectionString } = await createLimitedRole(t, 8)
  const logger = recordingLogger()
  const database = await openDatabase({ name: 'billing', connectionString, pool: { maxWaiting: 10_000 }, logger, slowQueryMillis: 60_000 })
  t.teardown(() => database.close())
  const { id } = await database.repo(users).create({ email: 'ada@example.com' })
  const outcomes: unknown[] = []

  for (let round = 0; round < 5; round++) {
    outcomes.push(...await Promise.all(Array.from({ length: 60 }, () =>
      database.session((session) => session.repo(users).update(id, { balance: round })).then(() => 'served', (error: Error) => error))))
  }

  t.same(outcomes.filter((outcome) => outcome !== 'served'), [])
  t.equal(outcomes.length, 300)
  const warnings = logger.lines.filter(({ message }) => message.includes('could not be opened'))
  t.match(warnings, [{ level: 'warn', message: / Lower BILLING_DATABASE_POOL_SIZE and BILLING_DATABASE_MAX_OVERFLOW/, context: { max: 60, open: Number, err: { code: 'DB_CONNECTION', cause: { code: '53300' } } } }])
  t.equal(warnings.length, 1)
})

t.test('108: a refused connection is tried again after a while, also without a release', async (t) => {
  const { connectionString, allow } = await createLimitedRole(t, 1)
  const pool = await openPool(t, { connectionString, pool: { size: 4, maxOverflow: 0 } })
  const [held] = await take(pool, 1)
  const waiting = take(pool, 3)
  await until(() => pool.info.waiting === 3)

  await allow(10)

  const others = await waiting
  t.match(pool.info, { total: 4, inUse: 4, waiting: 0 })
  for (const connection of [held, ...others]) connection?.release()
})

t.test('108: a pool that tries in vain keeps its connections, and tries less and less often', async (t) => {
  const { connectionString } = await createLimitedRole(t, 1)
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString, pool: { size: 10, maxOverflow: 0, timeoutSeconds: 5 } })
  const [held] = await take(pool, 1)
  const waiting = Promise.allSettled([pool.connect(caller)])
  await until(() => pool.info.waiting === 1)
  const { accepted } = proxy

  t.match(await waiting, [{ status: 'rejected', reason: { code: 'DB_POOL_TIMEOUT' } }])

  t.equal(proxy.accepted - accepted, 2, 'after one second and two more')
  held?.release()
  t.equal(await serve(pool, 20), 20)
})

t.test('108: an exhausted pool is told from an unreachable server by its open connections', async (t) => {
  const { connectionString } = await createLimitedRole(t, 1)
  const logger = recordingLogger()
  const pool = await openPool(t, { connectionString, logger, pool: { size: 10, maxOverflow: 0, timeoutSeconds: 0.5 } })
  const [held] = await take(pool, 1)

  await t.rejects(pool.connect({ ...caller }), { code: 'DB_POOL_TIMEOUT' })

  t.match(logger.lines.at(-1), { level: 'warn', message: /were held for longer/, context: { max: 10, limit: 1, inUse: 1 } })
  held?.release()
})

t.test('108: without any connection each caller is refused at once, with the reason', async (t) => {
  const { connectionString } = await createLimitedRole(t, 0)
  const logger = recordingLogger()
  const pool = await openPool(t, { connectionString, logger, pool: { size: 2, maxOverflow: 0 } })

  const answers = await Promise.allSettled(Array.from({ length: 7 }, () => pool.connect(caller)))

  t.match(answers, Array.from({ length: 7 }, () => ({ status: 'rejected', reason: { code: 'DB_CONNECTION', cause: { code: '53300' } } })))
  t.match(pool.info, { total: 0, waiting: 0 })
})

t.test('108: a stream beside a transaction is refused at once if it would wait for others', async (t) => {
  const { connectionString } = await createLimitedRole(t, 1)
  const database = await openDatabase({ connectionString, pool: { size: 3, maxOverflow: 0 } })
  t.teardown(() => database.close())

  await database.session(async (session) => {
    await session.repo(users).create({ email: 'ada@example.com' })
    await t.rejects(session.repo(users).stream()[Symbol.asyncIterator]().next(), { code: 'DB_CONNECTION', cause: { code: '53300' } })
    await t.rejects(session.repo(users).stream()[Symbol.asyncIterator]().next(), { code: 'DB_POOL_TIMEOUT' }, 'now the pool knows that it has no room')
  })

  t.equal(await database.repo(users).count(), 1)
})

t.test('109: a waiter gets the first available connection, not the one being opened for it', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString, pool: { size: 2, maxOverflow: 0 } })
  const [held] = await take(pool, 1)
  const pid = held && await backendOf(held)
  const lost = proxy.loseRequest(startup, 'silence')
  const waiting = pool.connect(caller)
  await lost

  held?.release()

  const connection = await waiting
  t.equal(await backendOf(connection), pid)
  connection.release()
  t.equal(await serve(pool, 10), 10, 'by the one that is there')
  await pool.idle(10_000)
  t.equal(pool.isIdle, true, 'one that nobody waits for is not in use')
  pool.end()
  await until(() => pool.info.total === 1)
})

t.test('109: a connection opened for a waiter that was served meanwhile is kept for the next', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString, pool: { size: 2, maxOverflow: 0 } })
  const [held] = await take(pool, 1)
  proxy.blackHole()
  const waiting = pool.connect(caller)
  await until(() => pool.info.total === 2)
  held?.release()
  const connection = await waiting

  await proxy.resume()

  await until(() => pool.info.idle === 1)
  t.match(pool.info, { total: 2, inUse: 1 })
  connection.release()
})

t.test('109: a waiter that gives up while its connection is being opened does not delay the end', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString, pool: { size: 2, maxOverflow: 0 } })
  const lost = proxy.loseRequest(startup, 'silence')
  const refused: Error[] = []
  const cancel = pool.acquire({ caller, lend: () => {}, refuse: (error) => { refused.push(error) } })
  await lost
  const idle = pool.idle(3_600_000)

  cancel(new Error('changed my mind'))

  await idle
  t.match(refused, [{ message: 'changed my mind' }])
  t.equal(pool.isIdle, true)
  pool.end()
  await until(() => pool.info.total === 0)
})

/** Drops the last connection, so that none is open, loses the next one while it is opened, and returns how many of two callers are served then. */
async function serveAfterLoss ({ pool, proxy, allow, held }: {
  pool: ConnectionPool, proxy: Proxy, allow: (connections: number) => Promise<unknown>, held: Connection | undefined
}): Promise<number> {
  await until(() => pool.info.total === 1) // the others are refused: one on its way would be let in now and stay
  await allow(10)
  held?.destroy()
  await until(() => pool.info.total === 0)
  const lost = proxy.loseRequest(startup)
  const served = serve(pool, 2)
  await lost
  return await served
}

t.test('109: a failure to connect is dropped once a connection is there, and refuses no later caller', async (t) => {
  const { connectionString, allow } = await createLimitedRole(t, 1)
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString, pool: { size: 5, maxOverflow: 0 } })
  t.equal(await serve(pool, 5), 5)
  const [held] = await take(pool, 1)
  const served = await serveAfterLoss({ pool, proxy, allow, held })

  t.ok(served >= 1, 'the next one was opened for whoever came next')
})

t.test('109: a failure to connect for a waiter that has gone refuses no later caller either', async (t) => {
  const { connectionString, allow } = await createLimitedRole(t, 1)
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString, pool: { size: 5, maxOverflow: 0 } })
  const [held] = await take(pool, 1)
  const cancel = pool.acquire({ caller, lend: () => {}, refuse: () => {} })
  cancel(new Error('changed my mind'))
  const served = await serveAfterLoss({ pool, proxy, allow, held })

  t.equal(served, 1, 'one is refused for the lost connection')
})
