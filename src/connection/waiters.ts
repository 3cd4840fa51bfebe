import { List } from './list.js'
import type { Connection } from './connection.js'
import type { Entry } from './list.js'
import type { Logger } from '../log.js'
import type { Origin } from './origin.js'

/** For whom a connection is taken: named in the log when it is held for too long. */
export interface Borrower {
  readonly logger: Logger
  /** The route, say. */
  readonly label: string
  /** Where in the user's program it was asked for. */
  origin?: Origin | undefined
  /** The one in whose nested scope it was asked for. */
  within?: Borrower | undefined
}

/** One who waits for a connection. */
export interface Waiter {
  readonly borrower: Borrower
  readonly deadline: number
  readonly resolve: (connection: Connection) => void
  readonly reject: (error: Error) => void
  /** Its place among those who wait, and among them in the line; undefined when it does not. */
  waiting: Entry<Waiter> | undefined
  inLine: Entry<Waiter> | undefined
}

/**
 * Those who wait for a connection, each until its deadline.
 *
 * All wait equally long, so the first to come is the first to give up: one timer for the head serves them all, and a
 * checkout that is answered at once costs no timer of its own.
 */
export class Waiters {
  readonly #waiting = new List<Waiter>()
  /** Those among them for whom no place in the pool was free yet, in the order in which they came. */
  readonly #line = new List<Waiter>()
  readonly #timeoutMillis: number
  readonly #expire: (waiters: readonly Waiter[]) => void
  #timer: NodeJS.Timeout | undefined

  /** `expire` is told of those whose time is up, and rejects them. */
  constructor (timeoutMillis: number, expire: (waiters: readonly Waiter[]) => void) {
    this.#timeoutMillis = timeoutMillis
    this.#expire = expire
  }

  /** How many stand in line for a place. */
  get inLine (): number { return this.#line.size }

  /** Starts to wait. */
  add (borrower: Borrower, resolve: (connection: Connection) => void, reject: (error: Error) => void): Waiter {
    const waiter: Waiter = { borrower, deadline: performance.now() + this.#timeoutMillis, resolve, reject, waiting: undefined, inLine: undefined }
    waiter.waiting = this.#waiting.add(waiter)
    this.#timer ??= this.#wait(this.#timeoutMillis)
    return waiter
  }

  /** Stands in line until {@link next} says that it is the waiter's turn. */
  queue (waiter: Waiter): void { waiter.inLine = this.#line.add(waiter) }

  /** Takes the first out of the line. */
  next (): Waiter | undefined {
    const { first } = this.#line
    if (first !== undefined) this.#leave(first)
    return first
  }

  /** Whether the waiter has not given up. */
  has (waiter: Waiter): boolean { return waiter.waiting !== undefined }

  /** How long the waiter may still wait, in milliseconds. */
  remaining (waiter: Waiter): number { return Math.max(waiter.deadline - performance.now(), 1) }

  /** Ends the wait with a connection. */
  resolve (waiter: Waiter, connection: Connection): void {
    this.#stop(waiter)
    waiter.resolve(connection)
  }

  /** Ends the wait, if it has not ended yet, with an error. */
  reject (waiter: Waiter, error: Error): void {
    this.#leave(waiter)
    if (this.#stop(waiter)) waiter.reject(error)
  }

  /** Sends everybody away. */
  rejectAll (error: Error): void {
    for (const waiter of this.#waiting.all()) this.reject(waiter, error)
  }

  #leave (waiter: Waiter): void {
    if (waiter.inLine !== undefined) this.#line.delete(waiter.inLine)
    waiter.inLine = undefined
  }

  #stop (waiter: Waiter): boolean {
    const { waiting } = waiter
    if (waiting !== undefined) this.#waiting.delete(waiting)
    waiter.waiting = undefined
    return waiting !== undefined
  }

  #wait (millis: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined
      const now = performance.now()
      const waiting = this.#waiting.all()
      const head = waiting.find(({ deadline }) => deadline > now)
      if (head !== undefined) this.#timer = this.#wait(Math.ceil(head.deadline - now))
      this.#expire(waiting.filter(({ deadline }) => deadline <= now))
    }, millis).unref()
  }
}
