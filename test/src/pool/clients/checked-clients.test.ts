import { Pool } from 'pg'
import t from 'tap'
import { extendConnection, parseConnectionString } from '../../../../src/settings/url/connection-string.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { recordingLogger } from '../../../helpers/logger.js'
import { caller, openPool, run } from '../../../helpers/pool.js'
import type { ConnectionPool } from '../../../../src/pool/connection-pool.js'
import type { Connection } from '../../../../src/connection/connection.js'
import type { Test } from '../../../helpers/test.js'

const one = { size: 1, maxOverflow: 0 }

/** How often pg's pool hands out a client from now on. */
function countAcquired ({ pool }: ConnectionPool): { readonly count: number } {
  const acquired = { count: 0 }
  pool.on('acquire', () => { acquired.count++ })
  return acquired
}

/** Lends the connection to so many callers, who all wait, one after the other; resolves with the order in which they had it. */
async function lendInTurn (pool: ConnectionPool, count: number, use = async (connection: Connection): Promise<unknown> => connection): Promise<number[]> {
  const order: number[] = []
  await Promise.all(Array.from({ length: count }, async (_, index) => {
    const connection = await pool.connect(caller)
    order.push(index)
    await use(connection)
    connection.release()
  }))
  return order
}

/** A pool of one connection, which was in pg's pool once: a new one is checked there. */
async function openUsed (t: Test, options: Parameters<typeof openPool>[1] = {}): Promise<ConnectionPool> {
  const pool = await openPool(t, { pool: one, ...options })
  const first = await pool.connect(caller)
  first.release()
  return pool
}

t.test('a connection that is released while others wait goes to the oldest of them, and not through pg\'s pool', async (t) => {
  const pool = await openUsed(t)
  const acquired = countAcquired(pool)
  t.strictSame(await lendInTurn(pool, 20), Array.from({ length: 20 }, (_, index) => index))
  t.equal(acquired.count, 1)
  t.match(pool.info, { total: 1, idle: 1, inUse: 0, waiting: 0 })
})

t.test('it goes back there after a hundred callers, so that one of age is replaced under any load', async (t) => {
  const pool = await openUsed(t)
  const acquired = countAcquired(pool)
  await lendInTurn(pool, 250)
  t.equal(acquired.count, 3)
})

t.test('while it is on its way the pool counts no caller twice, and one that gives up loses nothing', async (t) => {
  const pool = await openUsed(t)
  const first = await pool.connect(caller)
  const cancel = pool.acquire({ caller, lend: () => t.fail('it has given up'), refuse: (error) => t.equal(error.message, 'gone') })
  first.release()
  t.match(pool.info, { total: 1, idle: 0, waiting: 0 })
  cancel(new Error('gone'))
  const next = await pool.connect(caller)
  t.equal(next.isReleased, false)
  next.release()
  t.match(pool.info, { total: 1, idle: 1, inUse: 0, waiting: 0 })
})

t.test('a program that waits for a client of pg\'s pool gets the next one', async (t) => {
  const pool = await openUsed(t)
  const held = await pool.connect(caller)
  const direct = pool.pool.connect()
  const waiting = pool.connect(caller)
  held.release()
  const client = await direct
  client.release()
  const connection = await waiting
  connection.release()
})

t.test('a connection whose settings may have changed is checked first', async (t) => {
  const pool = await openUsed(t)
  const acquired = countAcquired(pool)
  await lendInTurn(pool, 3, (connection) => run(connection, "set datestyle to 'SQL, DMY'"))
  t.equal(acquired.count, 3)
})

t.test('a lost connection is not passed on', async (t) => {
  const pool = await openUsed(t)
  const lost = await pool.connect(caller)
  const waiting = pool.connect(caller)
  lost.destroy()
  const next = await waiting
  t.not(next.pooled, lost.pooled)
  next.release()
})

t.test('each lending of a pool whose events are logged, and of the program\'s own pool, goes through pg\'s pool', async (t) => {
  const logged = await openUsed(t, { pool: { ...one, echo: true }, logger: recordingLogger() })
  const acquired = countAcquired(logged)
  await lendInTurn(logged, 5)
  t.equal(acquired.count, 5)

  const { connectionString } = await createTestDatabase(t)
  const pg = new Pool(extendConnection(parseConnectionString(connectionString), { max: 1 }))
  t.teardown(() => pg.end())
  const own = await openPool(t, { pg })
  const counted = countAcquired(own)
  await lendInTurn(own, 5)
  t.equal(counted.count, 5)
})
