import { PoolTimeoutError } from '../errors/errors.js'
import { withoutStack } from '../runtime/stack-less.js'
import { List } from '../runtime/linked-list.js'
import type { Connection } from '../connection/connection.js'
import type { Entry } from '../runtime/linked-list.js'
import type { Caller } from '../statement/caller.js'

/** The error of a request that waits in vain, or would. Its stack would name this package only: the log has the caller's own. */
export const timedOut = (): Error => withoutStack(() => new PoolTimeoutError())

/** By how much two timers of the same length may differ, in milliseconds. */
const timerSlackMillis = 5

/** A request for a connection. Exactly one of the two methods is called, unless the wait is cancelled. They may need `this`. */
export interface AcquireRequest<Lent = Connection> {
  readonly caller: Caller
  /** Called synchronously with the connection, so that it always has an owner. */
  lend (connection: Lent): void
  refuse (error: Error): void
  /**
   * Whether to wait for a connection to be released if none can be opened. `false` for a caller that holds another connection.
   * @defaultValue `true`
   */
  readonly mayWait?: boolean | undefined
}

/** A request that waits for a connection. */
export interface Waiter {
  readonly request: AcquireRequest
  readonly deadline: number
  /** Its entry in the queue; undefined when it no longer waits. */
  entry: Entry<Waiter> | undefined
}

/**
 * The waiters of a pool, in the order of their requests, each until its deadline.
 *
 * All waits have the same length, so the oldest waiter expires first: one timer, for the head of the queue, serves all of them,
 * and a checkout that succeeds at once needs no timer.
 */
export class AcquireQueue {
  readonly #waiters = new List<Waiter>()
  readonly #timeoutMillis: number
  readonly #expire: (waiters: readonly Waiter[]) => void
  #timer: NodeJS.Timeout | undefined

  /** `expire` receives the waiters whose time is up, and must reject them. */
  constructor (timeoutMillis: number, expire: (waiters: readonly Waiter[]) => void) {
    this.#timeoutMillis = timeoutMillis
    this.#expire = expire
  }

  /** How many waiters there are. */
  get size (): number { return this.#waiters.size }

  /** The oldest waiter. */
  get first (): Waiter | undefined { return this.#waiters.first }

  /** All waiters. */
  all (): Waiter[] { return this.#waiters.all() }

  /** Adds a waiter. */
  add (request: AcquireRequest): Waiter {
    const waiter: Waiter = { request, deadline: performance.now() + this.#timeoutMillis, entry: undefined }
    waiter.entry = this.#waiters.add(waiter)
    this.#timer ??= this.#wait(this.#timeoutMillis)
    return waiter
  }

  /** For how long the waiter has waited, in milliseconds. */
  waited ({ deadline }: Waiter): number { return performance.now() - deadline + this.#timeoutMillis }

  /** Whether the waiter may still wait: pg-pool's own limit is as long as a waiter's, and ends a moment before or after. */
  isEarly ({ deadline }: Waiter): boolean { return deadline - performance.now() > timerSlackMillis }

  /** Ends the wait with a connection. */
  resolve (waiter: Waiter, connection: Connection): void {
    this.#leave(waiter)
    waiter.request.lend(connection)
  }

  /** Ends the wait, if it has not ended yet, with an error. */
  reject (waiter: Waiter, error: Error): void {
    if (this.#leave(waiter)) waiter.request.refuse(error)
  }

  /** Rejects all waiters. */
  rejectAll (error: Error): void {
    for (const waiter of this.all()) this.reject(waiter, error)
  }

  #leave (waiter: Waiter): boolean {
    const { entry } = waiter
    if (entry !== undefined) this.#waiters.delete(entry)
    waiter.entry = undefined
    return entry !== undefined
  }

  #wait (millis: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined
      const now = performance.now()
      const waiting = this.all()
      const head = waiting.find(({ deadline }) => deadline > now)
      if (head !== undefined) this.#timer = this.#wait(Math.ceil(head.deadline - now))
      this.#expire(waiting.filter(({ deadline }) => deadline <= now))
    }, millis).unref()
  }
}
