import { Pool } from 'pg'
import t from 'tap'
import { ConnectionError, PoolTimeoutError } from '../../../src/errors/errors.js'
import { parseConnectionString } from '../../../src/settings/url/connection-string.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { caller, openPool, run, scalar } from '../../helpers/pool.js'
import { until } from '../../helpers/until.js'
import type { Connection } from '../../../src/connection/connection.js'
import type { Cancel } from '../../../src/pool/connection-source.js'
import type { ConnectionPool } from '../../../src/pool/connection-pool.js'

const one = { size: 1, maxOverflow: 0 }

/** Asks for a connection, so that the one who asks can give up. */
function ask (pool: ConnectionPool): { cancel: Cancel, answer: Promise<Connection> } {
  let cancel: Cancel = () => {}
  const answer = new Promise<Connection>((resolve, reject) => {
    cancel = pool.acquire({ caller, lend: resolve, refuse: reject })
  })
  answer.catch(() => {})
  return { cancel, answer }
}

t.test('gives connections up to its size, then in the order in which they were asked for', async (t) => {
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

t.test('lets nobody wait with maxWaiting 0', async (t) => {
  const pool = await openPool(t, { pool: { ...one, maxWaiting: 0 } })
  const held = await pool.connect(caller)

  await t.rejects(pool.connect(caller), PoolTimeoutError)

  held.release()
  const again = await pool.connect(caller)
  again.release()
})

t.test('who gives up leaves the line, and takes no place', async (t) => {
  const pool = await openPool(t, { pool: { ...one, maxWaiting: 2 } })
  const held = await pool.connect(caller)
  const [first, second] = [ask(pool), ask(pool)]

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

t.test('a connection that comes for one who gave up goes to the next', async (t) => {
  const pool = await openPool(t, { pool: one })
  const [first, second] = [ask(pool), ask(pool)]

  first.cancel(new Error('changed my mind'))

  const connection = await second.answer
  t.match(pool.info, { total: 1, inUse: 1, waiting: 0 })
  connection.release()
  t.match(pool.info, { total: 1, idle: 1 })
})

t.test('each waits until its own time is up, and leaves nothing behind', async (t) => {
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

t.test('waits for a connection that somebody else took from pg\'s pool, and no longer than the limit', async (t) => {
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

t.test('tells who asks for a breath when a place is free or passed on', async (t) => {
  const pool = await openPool(t, { pool: one })
  t.equal(await pool.breathes(1000), true, 'free')
  const held = await pool.connect(caller)
  t.equal(await pool.breathes(10), false, 'held')
  const breath = pool.breathes(10_000)
  const next = pool.connect(caller)
  held.release()
  t.equal(await breath, true, 'passed on')
  ;(await next).release()
})

t.test('an end refuses who waits and who comes, and ends what is in use', async (t) => {
  const pool = await openPool(t, { pool: one })
  const held = await pool.connect(caller)
  const running = run(held, 'select pg_sleep(30)')
  const waiting = ask(pool)

  t.match(pool.end(), [{ holder: 'test', heldSeconds: Number, state: 'running', stack: String }])

  await t.rejects(waiting.answer, ConnectionError)
  await t.rejects(pool.connect(caller), ConnectionError)
  t.match(await running, { lost: true })
  t.same(pool.end(), [])
  t.match(pool.info, { total: 0, waiting: 0 })
})

t.test('an end gives up a connection on its way', async (t) => {
  const pool = await openPool(t, { pool: one })
  const opening = ask(pool)

  pool.end()

  await t.rejects(opening.answer, ConnectionError)
  await until(() => pool.info.total === 0)
})

t.test('when a pool of one\'s own is ended early, who asks is refused', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const pg = new Pool(parseConnectionString(connectionString))
  const pool = await openPool(t, { pg })
  await pg.end()

  await t.rejects(pool.connect(caller), { code: 'DB_CONNECTION' })
  t.match(pool.info, { total: 0, waiting: 0 })
})

t.test('whatever becomes of those who ask, no place is lost', async (t) => {
  const pool = await openPool(t, { pool: { size: 2, maxOverflow: 2, maxWaiting: 1000, prePingAfterMillis: 0 } })
  const fates: Array<(connection: Connection) => unknown> = [
    (connection) => connection.release(),
    (connection) => connection.destroy(),
    (connection) => run(connection, 'select 1').then(() => connection.release()),
    (connection) => { run(connection, 'select pg_sleep(1)'); connection.release() },
    (connection) => run(connection, 'begin').then(() => connection.release()),
    (connection) => run(connection, 'select pg_terminate_backend(pg_backend_pid())').then(() => connection.release())
  ]

  await Promise.all(Array.from({ length: 300 }, async (_, position) => {
    const { cancel, answer } = ask(pool)
    if (position % 7 === 0) cancel(new Error('at once'))
    if (position % 7 === 1) setImmediate(cancel, new Error('a moment later'))
    const connection = await answer.catch(() => undefined)
    if (connection !== undefined) await fates[position % fates.length]?.(connection)
  }))

  // One may still be on its way, to nobody.
  await until(() => pool.info.inUse === 0)
  t.match(pool.info, { waiting: 0 })
  const all = await Promise.all([1, 2, 3, 4].map(() => pool.connect(caller)))
  t.match(pool.info, { total: 4, inUse: 4 })
  for (const connection of all) connection.release()
  await pool.idle(0)
  t.equal(await pool.breathes(0), true)
})
