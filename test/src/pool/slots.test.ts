import t from 'tap'
import { caller, openPool, request, run } from '../../helpers/pool.js'
import { until } from '../../helpers/until.js'
import type { Connection } from '../../../src/connection/connection.js'

t.test('breathes() resolves with true when a slot is free or passed on', async (t) => {
  const pool = await openPool(t, { pool: { size: 1, maxOverflow: 0 } })
  t.equal(await pool.breathes(1000), true, 'free')
  const held = await pool.connect(caller)
  t.equal(await pool.breathes(10), false, 'held')
  const breath = pool.breathes(10_000)
  const next = pool.connect(caller)
  held.release()
  t.equal(await breath, true, 'passed on')
  ;(await next).release()
})

t.test('no slot is lost, whatever happens to waiters', async (t) => {
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
    const { cancel, answer } = request(pool)
    if (position % 7 === 0) cancel(new Error('at once'))
    if (position % 7 === 1) setImmediate(cancel, new Error('a moment later'))
    const connection = await answer.catch(() => undefined)
    if (connection !== undefined) await fates[position % fates.length]?.(connection)
  }))

  // A connection without a caller may still be opening.
  await until(() => pool.info.inUse === 0)
  t.match(pool.info, { waiting: 0 })
  const all = await Promise.all([1, 2, 3, 4].map(() => pool.connect(caller)))
  t.match(pool.info, { total: 4, inUse: 4 })
  for (const connection of all) connection.release()
  await pool.idle(0)
  t.equal(await pool.breathes(0), true)
})
