import { AsyncResource } from 'node:async_hooks'
import { TransactionScopeError } from '../errors/errors.js'

interface QueuedCall {
  readonly start: () => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

/** Calls that wait, in their order, until the nested scope before them has ended. */
export class ScopeQueue {
  readonly #waiting = new Set<QueuedCall>()
  readonly #timeoutMillis: number

  constructor (timeoutMillis: number) {
    this.#timeoutMillis = timeoutMillis
  }

  /** Starts a call when it is its turn. @throws {TransactionScopeError} if its turn does not come in time */
  take<Result> (start: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(call)
        reject(new TransactionScopeError())
      }, this.#timeoutMillis)
      // Whoever ends the scope before starts this; what it runs belongs to the one who called.
      const call = { start: AsyncResource.bind(() => { start().then(resolve, reject) }), reject, timer }
      this.#waiting.add(call)
    })
  }

  /** Starts what waits, in order, for as long as `free` says so: a scope among them holds up those behind it. */
  next (free: () => boolean): void {
    for (const call of this.#waiting) {
      if (!free()) return
      this.#leave(call)
      call.start()
    }
  }

  /** Refuses all that wait. */
  clear (reason: () => Error): void {
    for (const call of this.#waiting) {
      this.#leave(call)
      call.reject(reason())
    }
  }

  #leave (call: QueuedCall): void {
    clearTimeout(call.timer)
    this.#waiting.delete(call)
  }
}
