import { List } from '../runtime/linked-list.js'
import type { Connection } from '../connection/connection.js'
import type { Entry } from '../runtime/linked-list.js'
import type { Caller } from '../statement/caller.js'

/** One who wants a connection; exactly one of the two functions is called, unless the wait is cancelled. */
export interface AcquireRequest<Lent = Connection> {
  readonly caller: Caller
  /** Called with the connection in the moment it is handed over, so that it is never in nobody's hands. */
  readonly lend: (connection: Lent) => void
  readonly refuse: (error: Error) => void
  /**
   * Whether to wait until somebody else gives a connection back, where none can be opened. Not so for one who holds another.
   * @defaultValue `true`
   */
  readonly mayWait?: boolean | undefined
}

/** One who waits for a connection. */
export interface Waiter {
  readonly request: AcquireRequest
  readonly deadline: number
  /** Its place in the line; undefined when it does not wait any more. */
  entry: Entry<Waiter> | undefined
}

/**
 * Those who wait for a connection, in the order in which they came, each until its deadline.
 *
 * All wait equally long, so the first to come is the first to give up: one timer for the head serves them all, and a
 * checkout that is answered at once costs no timer of its own.
 */
export class AcquireQueue {
  readonly #line = new List<Waiter>()
  readonly #timeoutMillis: number
  readonly #expire: (waiters: readonly Waiter[]) => void
  #timer: NodeJS.Timeout | undefined

  /** `expire` is told of those whose time is up, and rejects them. */
  constructor (timeoutMillis: number, expire: (waiters: readonly Waiter[]) => void) {
    this.#timeoutMillis = timeoutMillis
    this.#expire = expire
  }

  /** How many wait. */
  get size (): number { return this.#line.size }

  /** Who came first. */
  get first (): Waiter | undefined { return this.#line.first }

  /** All who wait. */
  all (): Waiter[] { return this.#line.all() }

  /** Starts to wait. */
  add (request: AcquireRequest): Waiter {
    const waiter: Waiter = { request, deadline: performance.now() + this.#timeoutMillis, entry: undefined }
    waiter.entry = this.#line.add(waiter)
    this.#timer ??= this.#wait(this.#timeoutMillis)
    return waiter
  }

  /** How long the waiter may still wait, in milliseconds. */
  remaining ({ deadline }: Waiter): number { return deadline - performance.now() }

  /** Ends the wait with a connection. */
  resolve (waiter: Waiter, connection: Connection): void {
    this.#leave(waiter)
    waiter.request.lend(connection)
  }

  /** Ends the wait, if it has not ended yet, with an error. */
  reject (waiter: Waiter, error: Error): void {
    if (this.#leave(waiter)) waiter.request.refuse(error)
  }

  /** Sends everybody away. */
  rejectAll (error: Error): void {
    for (const waiter of this.all()) this.reject(waiter, error)
  }

  #leave (waiter: Waiter): boolean {
    const { entry } = waiter
    if (entry !== undefined) this.#line.delete(entry)
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
