import t from 'tap'
import { cancelUntilIdle } from '../../../src/connection/cancel-until-idle.js'
import type { LentConnection } from '../../../src/pool/connection-source.js'

/** A connection at work, which goes on until it is told otherwise. */
class Busy {
  isIdle = false
  cancels = 0
  destroyed = 0
  #end: () => void = () => {}
  readonly #endsAfter: number

  /** @param endsAfter the cancel that shows */
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

/** The timers that keep the process. */
const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length

t.test('the cancel leaves at once, and leaves nothing behind that keeps the process', async (t) => {
  const before = timers()
  const busy = new Busy(1)
  const interrupted = begin(busy, 600_000)
  t.equal(busy.cancels, 1)
  await interrupted
  t.same([busy.cancels, busy.destroyed, timers()], [1, 0, before])
})

t.test('a cancel that hit nothing is repeated', async (t) => {
  const busy = new Busy(3)
  await begin(busy, 600_000)
  t.same([busy.cancels, busy.destroyed], [3, 0])
})

t.test('what hears no cancel is destroyed in time, and was asked now and then, not all the time', async (t) => {
  const busy = new Busy(Infinity)
  await begin(busy, 350)
  t.equal(busy.destroyed, 1)
  t.ok(busy.cancels > 1, 'repeated')
  t.ok(busy.cancels <= 5, `after a pause each time, not ${busy.cancels} times`)
})
