import type { PoolSettings } from '../settings/pool-settings.js'
import type { Slots } from './slots.js'

/** How many releases count at least. */
const shortestMemory = 64

/** The first time between two releases counts as one of so many, each later one a little less until it is one of all that count. */
const firstWeight = 5

/**
 * As if so many times as many waited: times vary, and a wait that is expected to end just at the limit is in vain every other time. In simulations
 * one refused request of 20 had waited in vain without this margin, and less than one of 100 has with it.
 */
const margin = 1.2

/** The part of {@link Slots} that an expectation needs. */
export type CrowdedSlots = Pick<Slots, 'limit' | 'silentMillis'>

/**
 * Tells how long a request for a connection will probably wait, so that one that would wait in vain is refused at once.
 *
 * While all connections are in use and others wait, each release serves the oldest waiter. So a request behind `ahead` others is
 * served by the release after theirs, and its wait is that many times the time between two releases. That time is measured at each
 * release, and the latest releases count most: about 64, or twice as many as there are connections, because a lock that ends frees
 * all of them in one moment.
 *
 * - At the start nothing is known, and no time between two releases is shorter than none: nobody is refused. The first times count
 *   less than they will, so that one slow statement in a pool of one connection does not speak for those to come.
 * - Only releases that somebody waits for are measured. A quiet pool releases seldom because it is asked seldom. A crowd after a
 *   quiet time meets the time that the last crowd has left, which the next releases correct.
 * - If nothing is released at all (a leak, a slow statement, a lock), nobody knows for how long. The best guess is that the silence
 *   lasts as long again, so it is added. Once it has lasted for the longest wait, new requests are refused at once, and those that
 *   wait leave at their deadlines: a server that never answers keeps no more waiters than arrive within one such time.
 * - A wait that would end in the last sixth of the limit counts as too long, because the time is not known better than that.
 * - As many requests as there are connections may wait in any case. So the pool finds out that it is wrong: they are served, and
 *   each release that comes soon makes the expected time shorter. A silence is one time among 64, and after it a pool of quick
 *   statements accepts a long queue again within as many releases.
 */
export class ExpectedWait {
  readonly #slots: CrowdedSlots
  readonly #memory: number
  readonly #longest: number
  /** The mean time between two releases, in milliseconds. */
  #interval = 0
  #seen = 0

  constructor (slots: CrowdedSlots, { max, timeoutMillis }: Pick<PoolSettings, 'max' | 'timeoutMillis'>) {
    this.#slots = slots
    this.#memory = Math.max(shortestMemory, 2 * max)
    this.#longest = timeoutMillis
  }

  /** A connection that others wait for was released; the oldest of them has waited so long. Call it before the slot is taken again. */
  released (waitedMillis: number): void {
    const millis = Math.min(this.#slots.silentMillis, waitedMillis)
    this.#interval += (millis - this.#interval) / Math.min(this.#seen + firstWeight, this.#memory)
    this.#seen++
  }

  /** The wait that a request has to expect behind so many others, in milliseconds, if no slot is free. */
  millis (ahead: number): number { return Math.max(this.#slots.silentMillis, this.#interval) + ahead * this.#interval }

  /** Whether a request behind so many others would probably wait in vain. */
  isTooLong (ahead: number): boolean { return ahead >= this.#slots.limit && this.millis(ahead * margin) > this.#longest }
}
