/**
 * Handles a server, or a pooler before it, that allows fewer connections than the pool may open.
 *
 * If a connection cannot be opened while others are open, no waiter is refused: the pool is limited to the open connections, and
 * a waiter gets the first one that is released. After a pause the limit grows by one, then by twice as many, until it is at its
 * maximum or the next connection cannot be opened. The reason makes no difference: servers and poolers report it differently.
 */
import { ConnectionError } from '../errors/errors.js'
import { withVariablesOf } from '../settings/database-name.js'
import type { Waiter } from './acquire-queue.js'
import type { Slots } from './slots.js'
import type { Settings } from '../settings/settings.js'

/** How long the limit stays before it grows again, in milliseconds; twice as long after each failure. */
const pauseMillis = { shortest: 1000, longest: 10_000 }

/** The shortest time between two warnings, in milliseconds. */
const quietMillis = 60_000

const warning = 'a database connection could not be opened while others are open: the pool uses those for a while, and then tries again. Lower DATABASE_POOL_SIZE and DATABASE_MAX_OVERFLOW, or raise what the server (max_connections, the connection limit of the role or database) or the pooler allows'

export class Shortage {
  readonly #slots: Slots
  readonly #settings: Settings
  readonly #grown: () => void
  #pause = pauseMillis.shortest
  #step = 1
  /** Whether the limit has grown and nothing has failed since. */
  #isTrying = false
  #timer: NodeJS.Timeout | undefined
  #quietUntil = 0
  /** How many waiters could not get a connection of their own since the last success: that many are refused if none is open. */
  owed = 0

  /** `grown` is called when the limit has grown. */
  constructor (slots: Slots, settings: Settings, grown: () => void) {
    this.#slots = slots
    this.#settings = settings
    this.#grown = grown
  }

  /** Limits the pool to the connections that are open. A connection that nobody waits for any more is owed to no one. */
  note (error: Error, open: number, waiting: number): void {
    this.owed = Math.min(this.owed + 1, waiting)
    this.#slots.limit = Math.min(this.#slots.limit, open)
    this.#step = 1
    if (this.#isTrying) this.#pause = Math.min(this.#pause * 2, pauseMillis.longest)
    this.#isTrying = false
    clearTimeout(this.#timer)
    this.#timer = this.#wait()
    this.#warn(error)
  }

  /** The first of these waiters, who will get no connection because none is open and none could be opened. */
  unserved (waiting: readonly Waiter[]): Waiter[] {
    const unserved = waiting.slice(0, this.owed + 1)
    this.owed = 0
    return unserved
  }

  /** Stops the timer. */
  end (): void { clearTimeout(this.#timer) }

  #wait (): NodeJS.Timeout {
    return setTimeout(() => {
      if (this.#isTrying) {
        this.#step *= 2
        this.#pause = pauseMillis.shortest
      }
      this.#isTrying = true
      const { max } = this.#settings.pool
      this.#slots.limit = Math.min(this.#slots.limit + this.#step, max)
      this.#timer = this.#slots.limit < max ? this.#wait() : undefined
      this.#grown()
    }, this.#pause).unref()
  }

  #warn (error: Error): void {
    const now = performance.now()
    if (now < this.#quietUntil) return
    this.#quietUntil = now + quietMillis
    const { name, logger, pool: { max } } = this.#settings
    logger.warn({ err: new ConnectionError(undefined, { cause: error }), open: this.#slots.limit, max }, withVariablesOf(name, warning))
  }
}
