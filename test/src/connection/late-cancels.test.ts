/**
 * A cancel hits whatever the backend does when it arrives. BEGIN and the INSERT behind it travel together: a cancel that hits BEGIN alone must not let the
 * INSERT commit by itself, and one that comes when all is done must not hit the next user of the connection.
 */
import t from 'tap'
import { caller, openPool, run } from '../../helpers/pool.js'
import type { Connection } from '../../../src/connection/connection.js'
import type { Outcome } from '../../../src/connection/outcome.js'

const rounds = 600

/** What the backend is at when the cancel is asked for, so that it arrives before, at and behind BEGIN. */
const moments: ReadonlyArray<(connection: Connection, pause: string) => Promise<Outcome>> = [
  (connection, pause) => insert(connection, [pause, 'begin']),
  (connection, pause) => insert(connection, ['begin', pause]),
  (connection) => insert(connection, ['begin'], ' from pg_sleep(0.001)'),
  // At none of them most often: all is done.
  (connection) => insert(connection, ['begin'])
]

function insert (connection: Connection, prelude: string[], from = ''): Promise<Outcome> {
  return run(connection, `insert into users (email) select $1${from} returning id`, { prelude, values: [String(Math.random())], kind: 'write' })
}

t.test(`${rounds} late cancels: nothing is kept of a group that was refused, and nobody else is hit`, async (t) => {
  const pool = await openPool(t, { pool: { size: 2, maxOverflow: 0 } })
  let kept = 0
  let refused = 0

  for (let round = 0; round < rounds; round++) {
    const connection = await pool.connect(caller)
    connection.enterTransaction()
    const pause = `select pg_sleep(${(round % 20) / 5000})`
    const write = (moments[round % moments.length] as typeof moments[number])(connection, pause)
    const [{ error }] = await Promise.all([write, connection.cancel(5000)])
    connection.leaveTransaction()
    if (error === undefined) {
      t.match(await run(connection, 'commit'), { result: { command: 'COMMIT' }, missedTransaction: false })
      kept++
    } else {
      t.match(error, { code: '57014' })
      if (connection.refusal === undefined) t.match(await run(connection, 'rollback'), { error: undefined, missedTransaction: false })
      refused++
    }
    connection.release()

    const next = await pool.connect(caller)
    t.match(await run(next, 'select 1'), { error: undefined })
    next.release()
  }

  const { rows } = await pool.pool.query<{ total: number }>('select count(*)::int as total from users')
  t.equal(rows[0]?.total, kept)
  t.ok(kept > 0 && refused > 0, `${kept} kept, ${refused} refused`)
})
