import { Pool } from 'pg'
import t from 'tap'
import { ConnectionError, PoolTimeoutError } from '../../../src/errors/errors.js'
import { parseConnectionString } from '../../../src/settings/url/connection-string.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { caller, openPool, request, run, scalar } from '../../helpers/pool.js'
import { until } from '../../helpers/until.js'

const one = { size: 1, maxOverflow: 0 }

t.test('opens connections up to its size, then serves callers in the order of their requests', async (t) => {
  const pool = await openPool(t, { pool: { size: 1, maxOverflow: 1 } })
  const [first, second] = await Promise.all([pool.connect(caller), pool.connect(caller)])
  t.match(pool.info, { size: 1, max: 2, total: 2, inUse: 2, idle: 0, waiting: 0 })
  const order: number[] = []
  const waiting = [0, 1, 2].map(async (position) => {
    const connection = await pool.connect(caller)
    order.push(position)
    connection.release()
  })
  t.match(pool.info, { total: 2, inUse: 2, waiting: 3 })

  first.release()
  second.release()
  await Promise.all(waiting)

  t.same(order, [0, 1, 2])
  t.match(pool.info, { inUse: 0, waiting: 0 })
})

t.test('refuses every waiter with maxWaiting 0', async (t) => {
  const pool = await openPool(t, { pool: { ...one, maxWaiting: 0 } })
  const held = await pool.connect(caller)

  await t.rejects(pool.connect(caller), PoolTimeoutError)

  held.release()
  const again = await pool.connect(caller)
  again.release()
})

t.test('a waiter that gives up leaves the queue and takes no slot', async (t) => {
  const pool = await openPool(t, { pool: { ...one, maxWaiting: 2 } })
  const held = await pool.connect(caller)
  const [first, second] = [request(pool), request(pool)]

  first.cancel(new Error('changed my mind'))

  await t.rejects(first.answer, { message: 'changed my mind' })
  t.equal(pool.info.waiting, 1)
  held.release()
  const connection = await second.answer
  second.cancel(new Error('too late: it has its connection'))
  t.equal(await scalar(connection, 'select 1'), 1)
  connection.release()
  t.match(pool.info, { total: 1, idle: 1, waiting: 0 })
})

t.test('a connection opened for a waiter that gave up goes to the next', async (t) => {
  const pool = await openPool(t, { pool: one })
  const [first, second] = [request(pool), request(pool)]

  first.cancel(new Error('changed my mind'))

  const connection = await second.answer
  t.match(pool.info, { total: 1, inUse: 1, waiting: 0 })
  connection.release()
  t.match(pool.info, { total: 1, idle: 1 })
})

t.test('each waiter waits until its own time limit, and leaves nothing behind', async (t) => {
  const pool = await openPool(t, { pool: { ...one, timeoutSeconds: 1 } })
  const held = await pool.connect(caller)
  const order: string[] = []
  const wait = (name: string): Promise<void> => pool.connect(caller).then(() => { order.push(`${name} was served`) }, (error: Error) => {
    t.ok(error instanceof PoolTimeoutError)
    order.push(name)
  })

  const early = wait('early')
  await run(held, 'select pg_sleep(0.5)')
  const late = wait('late')
  await early
  t.equal(pool.info.waiting, 1)
  await late

  t.same(order, ['early', 'late'])
  held.release()
  t.match(pool.info, { total: 1, idle: 1, waiting: 0 })
  const again = await pool.connect(caller)
  again.release()
})

t.test('waits for a connection checked out through pg\'s pool, and no longer than the limit', async (t) => {
  const pool = await openPool(t, { pool: { size: 2, maxOverflow: 0, timeoutSeconds: 1 } })
  const held = await pool.connect(caller)
  await run(held, 'select pg_sleep(0.03)')
  const client = await pool.pool.connect()

  const answer = pool.connect(caller)
  t.match(pool.info, { inUse: 2, waiting: 1 })
  await t.rejects(answer, PoolTimeoutError)

  client.release()
  const connection = await pool.connect(caller)
  t.equal(await scalar(connection, 'select 1'), 1)
  connection.release()
  held.release()
  t.match(pool.info, { total: 2, idle: 2, waiting: 0 })
})

t.test('end() gives up a connection that is being opened', async (t) => {
  const pool = await openPool(t, { pool: one })
  const opening = request(pool)

  pool.end()

  await t.rejects(opening.answer, ConnectionError)
  await until(() => pool.info.total === 0)
})

t.test('a caller is refused once its own pool has been ended early', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const pg = new Pool(parseConnectionString(connectionString))
  const pool = await openPool(t, { pg })
  await pg.end()

  await t.rejects(pool.connect(caller), { code: 'DB_CONNECTION' })
  t.match(pool.info, { total: 0, waiting: 0 })
})
