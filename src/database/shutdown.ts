import { takenByHand } from '../pool/connection-usage.js'
import { within } from '../runtime/within.js'
import type { HealthCheck } from './health-check.js'
import type { ConnectionPool } from '../pool/connection-pool.js'
import type { Settings } from '../settings/settings.js'

/** How long connections may take at least to say goodbye, in milliseconds. */
const farewellMillis = 500

/** What ends with a database. */
export interface ClosingParts {
  readonly connections: ConnectionPool
  readonly health: HealthCheck
  readonly settings: Settings
  /** Whether the pool is ended as well. */
  readonly ownsPool: boolean
}

/**
 * How a database ends.
 *
 *     open ──begin──> draining ──nothing is under way, or drainTimeoutSeconds are over──> closed
 *
 * *draining*: work goes on, and more may begin: a request in flight may not have come to its first query yet.
 * *closed*: whoever comes is refused, and what was still under way was ended; but for a COMMIT, which is awaited up to its own
 * limit, `settleTimeoutMillis`, because cut off nobody would know what became of it.
 */
export class Closing {
  readonly #parts: ClosingParts
  /** How many callbacks are under way. */
  #callbacks = 0
  #wake: (() => void) | undefined
  #deadline: number | undefined
  #timer: NodeJS.Timeout | undefined
  #finished: Promise<boolean> | undefined
  #isDrained: boolean | undefined

  constructor (parts: ClosingParts) {
    this.#parts = parts
  }

  /** Waits for a callback, too. */
  track (work: Promise<void>): void {
    this.#callbacks++
    work.then(() => { if (--this.#callbacks === 0) this.#wake?.() })
  }

  /** From now on time runs: what is still under way after `drainTimeoutSeconds` is ended, whether {@link finish} was called or not. */
  begin (): void {
    if (this.#deadline !== undefined) return
    const millis = this.#parts.settings.drainTimeoutSeconds * 1000
    this.#deadline = performance.now() + millis
    this.#timer = setTimeout(() => this.#end(), millis)
  }

  /** Ends the database when nothing is under way any more, or the time is over; resolves with whether everything could finish. */
  finish (): Promise<boolean> {
    this.#finished ??= this.#finish()
    return this.#finished
  }

  async #finish (): Promise<boolean> {
    const { connections, health, ownsPool } = this.#parts
    this.begin()
    await connections.idle(this.#remaining)
    // A commit gives its connection back before its callbacks start, and a callback may begin something new.
    while (this.#callbacks > 0 && this.#remaining > 0) {
      await within(this.#remaining, new Promise<void>((resolve) => { this.#wake = resolve }))
      await connections.idle(this.#remaining)
    }
    this.#end()
    await connections.finished()
    await health.close()
    if (ownsPool) await connections.close(Math.max(this.#remaining, farewellMillis))
    return this.#isDrained === true
  }

  get #remaining (): number { return Number(this.#deadline) - performance.now() }

  #end (): void {
    clearTimeout(this.#timer)
    const { connections, settings: { logger } } = this.#parts
    this.#isDrained ??= connections.isIdle && this.#callbacks === 0
    for (const usage of connections.end()) {
      const cause = usage.holder === takenByHand ? 'a client that was taken with pool.connect() and never released was ended' : 'a connection still in use was ended'
      logger.error(usage, `closing took too long: ${cause}, and what it had not committed is rolled back`)
    }
  }
}
