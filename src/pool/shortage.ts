/**
 * A server, or a pooler before it, that allows fewer connections than the pool may have.
 *
 * A connection that cannot be opened while others are open refuses nobody: the pool makes do with those, and whoever waits gets
 * the first that comes free. From time to time it may have one more again, then twice as many more, until it is as large as its
 * settings allow or the next one cannot be opened. Whether the server is full, a pooler is, or something else went wrong makes
 * no difference: each says it in another way.
 */
import { ConnectionError } from '../errors/errors.js'
import type { Slots } from './slots.js'
import type { Settings } from '../settings/settings.js'

/** How long the pool stays as it is before it tries again, in milliseconds; twice as long after each try that fails. */
const pauseMillis = { shortest: 1000, longest: 10_000 }

/** One warning in this time is enough, in milliseconds. */
const quietMillis = 60_000

const warning = 'a database connection could not be opened while others are open: the pool makes do with those for a while, and then tries again. Lower DATABASE_POOL_SIZE and DATABASE_MAX_OVERFLOW, or raise what the server (max_connections, the connection limit of the role or database) or the pooler allows'

export class Shortage {
  readonly #slots: Slots
  readonly #settings: Settings
  readonly #grown: () => void
  #pause = pauseMillis.shortest
  #step = 1
  /** Whether nothing has failed since the pool was allowed to grow. */
  #isTrying = false
  #timer: NodeJS.Timeout | undefined
  #quietUntil = 0
  /** How many connections could not be opened since the last one that was to be had: so many are refused if none comes. */
  owed = 0

  /** `grown` is told when the pool may have more again. */
  constructor (slots: Slots, settings: Settings, grown: () => void) {
    this.#slots = slots
    this.#settings = settings
    this.#grown = grown
  }

  /** No more than so many can be had for now. */
  note (error: Error, open: number): void {
    this.owed++
    this.#slots.limit = Math.min(this.#slots.limit, open)
    this.#step = 1
    if (this.#isTrying) this.#pause = Math.min(this.#pause * 2, pauseMillis.longest)
    this.#isTrying = false
    clearTimeout(this.#timer)
    this.#timer = this.#wait()
    this.#warn(error)
  }

  /** Ends the wait for better times. */
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
    const { logger, pool: { max } } = this.#settings
    logger.warn({ err: new ConnectionError(undefined, { cause: error }), open: this.#slots.limit, max }, warning)
  }
}
