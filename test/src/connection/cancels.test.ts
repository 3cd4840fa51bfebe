import t from 'tap'
import { cancelUntilIdle } from '../../../src/connection/cancel-until-idle.js'
import { caller, openPool, run } from '../../helpers/pool.js'
import type { LentConnection } from '../../../src/pool/connection-source.js'
import type { Connection } from '../../../src/connection/connection.js'
import type { Outcome } from '../../../src/connection/outcome.js'

/** A busy connection, which becomes idle after a given number of cancels. */
class Busy {
  isIdle = false
  cancels = 0
  destroyed = 0
  #end: () => void = () => {}
  readonly #endsAfter: number

  /** @param endsAfter the number of the cancel that has an effect */
  constructor (endsAfter: number) {
    this.#endsAfter = endsAfter
  }

  idle (): Promise<void> {
    return new Promise((resolve) => { this.#end = resolve })
  }

  async cancel (): Promise<void> {
    if (++this.cancels === this.#endsAfter) this.#stop()
  }

  destroy (): void {
    this.destroyed++
    this.#stop()
  }

  #stop (): void {
    this.isIdle = true
    this.#end()
  }
}

const begin = (busy: Busy, timeoutMillis: number): Promise<void> => cancelUntilIdle(busy as unknown as LentConnection, timeoutMillis)

/** The number of timers that keep the process alive. */
const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length

t.test('a cancel is sent at once, and leaves no handle that keeps the process alive', async (t) => {
  const before = timers()
  const busy = new Busy(1)
  const interrupted = begin(busy, 600_000)
  t.equal(busy.cancels, 1)
  await interrupted
  t.same([busy.cancels, busy.destroyed, timers()], [1, 0, before])
})

t.test('a cancel that hit nothing is sent again', async (t) => {
  const busy = new Busy(3)
  await begin(busy, 600_000)
  t.same([busy.cancels, busy.destroyed], [3, 0])
})

t.test('a connection that ignores cancels is destroyed in time, after a few of them', async (t) => {
  const busy = new Busy(Infinity)
  await begin(busy, 350)
  t.equal(busy.destroyed, 1)
  t.ok(busy.cancels > 1, 'repeated')
  t.ok(busy.cancels <= 5, `after a pause each time, not ${busy.cancels} times`)
})

const rounds = 600

/** The work of the backend when the cancel is requested, so that it arrives before, during and after BEGIN. */
const moments: ReadonlyArray<(connection: Connection, pause: string) => Promise<Outcome>> = [
  (connection, pause) => insert(connection, [pause, 'begin']),
  (connection, pause) => insert(connection, ['begin', pause]),
  (connection) => insert(connection, ['begin'], ' from pg_sleep(0.001)'),
  // The cancel usually arrives after everything is done.
  (connection) => insert(connection, ['begin'])
]

function insert (connection: Connection, prelude: string[], from = ''): Promise<Outcome> {
  return run(connection, `insert into users (email) select $1${from} returning id`, { prelude, values: [String(Math.random())], kind: 'write' })
}

t.test(`${rounds} late cancels: a refused group leaves no rows, and no other statement is hit`, async (t) => {
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
