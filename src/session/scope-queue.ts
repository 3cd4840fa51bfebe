import { AsyncResource } from 'node:async_hooks'
import { TransactionScopeError } from '../errors/errors.js'

interface QueuedCall {
  readonly start: () => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

/** Calls that wait, in order, until the open nested scope has ended. */
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
      // The end of another scope starts this call, which must run in the async context of its own caller.
      const call = { start: AsyncResource.bind(() => { start().then(resolve, reject) }), reject, timer }
      this.#waiting.add(call)
    })
  }

  /** Starts the waiting calls, in order, as long as `free` returns `true`: a new scope holds up the calls behind it. */
  next (free: () => boolean): void {
    for (const call of this.#waiting) {
      if (!free()) return
      this.#leave(call)
      call.start()
    }
  }

  /** Rejects all waiting calls. */
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
