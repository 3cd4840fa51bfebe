import { takenByHand } from '../pool/connection-usage.js'
import { within } from '../runtime/promises.js'
import type { Listening } from '../listen/listening.js'
import type { HealthCheck } from './health-check.js'
import type { ConnectionPool } from '../pool/connection-pool.js'
import type { Replicas } from '../replicas/replicas.js'
import type { Settings } from '../settings/settings.js'

/** The minimum time that connections have to end, in milliseconds. */
const farewellMillis = 500

/** The parts that end with a database. */
export interface ShutdownParts {
  readonly connections: ConnectionPool
  readonly replicas: Replicas | undefined
  readonly health: HealthCheck
  readonly listening: Pick<Listening, 'close'>
  readonly settings: Settings
  /** Whether the pool is ended, too. */
  readonly ownsPool: boolean
}

/**
 * Closes a database.
 *
 *     open ──begin──> draining ──nothing is running, or drainTimeoutSeconds are over──> closed
 *
 * *draining*: work goes on, and more may begin: a running request may not have reached its first query yet.
 * *closed*: new requests are refused, and running work was ended, except COMMIT: it is awaited up to `settleTimeoutMillis`,
 * because its outcome would be unknown if it was cut off.
 */
export class Shutdown {
  readonly #parts: ShutdownParts
  readonly #replicaPools: readonly ConnectionPool[]
  readonly #pools: readonly ConnectionPool[]
  /** How many callbacks are running. */
  #callbacks = 0
  #wake: (() => void) | undefined
  #deadline: number | undefined
  #timer: NodeJS.Timeout | undefined
  #finished: Promise<boolean> | undefined
  #isDrained: boolean | undefined

  constructor (parts: ShutdownParts) {
    this.#parts = parts
    this.#replicaPools = parts.replicas?.all.map(({ pool }) => pool) ?? []
    this.#pools = [parts.connections, ...this.#replicaPools]
  }

  /** Makes closing wait for a commit or a callback, however it ends. */
  track (work: Promise<void>): void {
    this.#callbacks++
    work.then(this.#untrack, this.#untrack)
  }

  readonly #untrack = (): void => { if (--this.#callbacks === 0) this.#wake?.() }

  /** Starts the time limit: work that still runs after `drainTimeoutSeconds` is ended, whether {@link finish} was called or not. */
  begin (): void {
    if (this.#deadline !== undefined) return
    const millis = this.#parts.settings.drainTimeoutSeconds * 1000
    this.#deadline = performance.now() + millis
    this.#timer = setTimeout(() => this.#end(), millis)
  }

  /** Ends the database when nothing is running or the time is over; resolves with whether everything could finish. */
  finish (): Promise<boolean> {
    this.#finished ??= this.#finish()
    return this.#finished
  }

  async #finish (): Promise<boolean> {
    const { health, listening, ownsPool } = this.#parts
    this.begin()
    // A notification would begin new work.
    await listening.close()
    await this.#idle()
    // A commit releases its connection before its callbacks start, and a callback may begin new work.
    while (this.#callbacks > 0 && this.#remaining > 0) {
      await within(this.#remaining, new Promise<void>((resolve) => { this.#wake = resolve }))
      await this.#idle()
    }
    this.#end()
    await Promise.all(this.#pools.map((pool) => pool.finished()))
    await health.close()
    const ours = ownsPool ? this.#pools : this.#replicaPools
    await Promise.all(ours.map((pool) => pool.close(Math.max(this.#remaining, farewellMillis))))
    return this.#isDrained === true
  }

  /** Resolves when no pool has anything in use. */
  async #idle (): Promise<void> {
    do await Promise.all(this.#pools.map((pool) => pool.idle(this.#remaining)))
    while (!this.#isIdle && this.#remaining > 0)
  }

  get #isIdle (): boolean { return this.#pools.every(({ isIdle }) => isIdle) }

  get #remaining (): number { return Number(this.#deadline) - performance.now() }

  #end (): void {
    clearTimeout(this.#timer)
    const { replicas, settings: { logger } } = this.#parts
    this.#isDrained ??= this.#isIdle && this.#callbacks === 0
    replicas?.end()
    for (const usage of this.#pools.flatMap((pool) => pool.end())) {
      const cause = usage.holder === takenByHand
        ? 'a client that was taken with pool.connect() and never released was ended'
        : 'a connection still in use was ended'
      logger.error(usage, `closing took too long: ${cause}, and what it had not committed is rolled back`)
    }
  }
}
