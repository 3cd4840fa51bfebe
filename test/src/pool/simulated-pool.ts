import { ExpectedWait } from '../../../src/pool/expected-wait.js'

/** A load on a simulated pool. */
export interface SimulatedLoad {
  readonly connections: number
  readonly timeoutMillis: number
  /** For how long connections are held, from a random number of 0 to 1 and the time. */
  readonly holding: (random: number, now: number) => number
  /** The time between two requests. */
  readonly everyMillis: number
  readonly millis: number
  /** Requests before this time are not counted. */
  readonly from?: number
  readonly random: () => number
}

/** What became of the requests. */
export interface SimulatedFates {
  served: number
  /** At once. */
  refused: number
  /** After a wait in vain. */
  expired: number
  mostWaiting: number
}

/** Plays a load on a pool whose requests are refused as {@link ExpectedWait} says, on a clock of its own. */
export function simulate ({ connections, timeoutMillis, holding, everyMillis, millis, from = 0, random }: SimulatedLoad): SimulatedFates {
  let [now, takenAt] = [0, 0]
  const slots = { limit: connections, get silentMillis () { return now - takenAt } }
  const expected = new ExpectedWait(slots, { max: connections, timeoutMillis })
  const fates: SimulatedFates = { served: 0, refused: 0, expired: 0, mostWaiting: 0 }
  const waiting: number[] = []
  const held: number[] = []
  const count = (fate: 'served' | 'refused' | 'expired', since: number): void => { if (since >= from) fates[fate]++ }
  const take = (since: number): void => {
    takenAt = now
    held.push(now + holding(random(), now))
    count('served', since)
  }
  const expire = (): void => {
    while (waiting.length > 0 && Number(waiting[0]) + timeoutMillis <= now) count('expired', Number(waiting.shift()))
  }

  for (let arrival = 0; arrival < millis; arrival += everyMillis) {
    for (let next = Math.min(...held); next <= arrival; next = Math.min(...held)) {
      now = next
      expire()
      held.splice(held.indexOf(next), 1)
      const [first] = waiting
      if (first === undefined) continue
      expected.released(now - first)
      waiting.shift()
      take(first)
    }
    now = arrival
    expire()
    if (held.length < connections) take(now)
    else if (expected.isTooLong(waiting.length)) count('refused', now)
    else waiting.push(now)
    fates.mostWaiting = Math.max(fates.mostWaiting, waiting.length)
  }
  return fates
}
