import t from 'tap'
import { ConnectionError } from '../../../src/errors/errors.js'
import { openDatabase } from '../../../src/index.js'
import { createTestDatabase, expectNoLeaks } from '../../../src/testing/index.js'
import { caller, openPool, request, run } from '../../helpers/pool.js'
import { until } from '../../helpers/until.js'
import type { ConnectionPool } from '../../../src/pool/connection-pool.js'

const one = { size: 1, maxOverflow: 0 }

t.test('end() refuses waiters and new callers, and destroys connections in use', async (t) => {
  const pool = await openPool(t, { pool: one })
  const held = await pool.connect(caller)
  const running = run(held, 'select pg_sleep(30)')
  const waiting = request(pool)

  t.match(pool.end(), [{ holder: 'test', heldSeconds: Number, state: 'running', stack: String }])

  await t.rejects(waiting.answer, ConnectionError)
  await t.rejects(pool.connect(caller), ConnectionError)
  t.match(await running, { lost: true })
  t.same(pool.end(), [])
  t.match(pool.info, { total: 0, waiting: 0 })
})

t.test('is idle when nothing is in use, or the time is over', async (t) => {
  const pool = await openPool(t, { pool: one })
  await pool.idle(1000)
  const held = await pool.connect(caller)
  await pool.idle(0)
  await pool.idle(10)
  t.equal(pool.info.inUse, 1)
  const next = pool.connect(caller)
  const idle = pool.idle(10_000)
  held.release()
  const last = await next
  t.equal(pool.info.inUse, 1)
  last.release()
  await idle
  t.equal(pool.info.inUse, 0)
})

t.test('a client checked out through pg\'s pool may be lost without ending the process', async (t) => {
  const pool = await openPool(t)
  const client = await pool.pool.connect()
  const { rows: [row] } = await client.query('select pg_backend_pid() as pid')

  const ended = new Promise((resolve) => client.once('end', resolve))
  await pool.pool.query('select pg_terminate_backend($1)', [row.pid])
  await ended

  client.release(true)
  const query = pool.pool.query('select pg_terminate_backend(pg_backend_pid())')
  await t.rejects(query, { code: '57P01' })
  await until(() => pool.info.total === pool.info.idle)
})

t.test('109: a connection being opened for no waiter is neither in use nor a leak', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const database = await openDatabase({ connectionString })
  t.teardown(() => database.close())
  const pool = database.host.pool as ConnectionPool
  const first = await pool.connect(caller)
  const second = pool.connect(caller)
  first.release()
  const connection = await second
  connection.release()

  t.match(pool.info, { total: 2, idle: 1, inUse: 0, waiting: 0 })
  await expectNoLeaks(database)

  t.match(pool.info, { total: 2, idle: 2, inUse: 0 })
})
