import { AsyncResource } from 'node:async_hooks'
import { TransactionScopeError } from '../errors/errors.js'

interface Turn {
  readonly start: () => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

/** Calls that wait, in their order, until the nested scope before them has ended. */
export class ScopeQueue {
  readonly #waiting = new Set<Turn>()
  readonly #timeoutMillis: number

  constructor (timeoutMillis: number) {
    this.#timeoutMillis = timeoutMillis
  }

  /** Starts something when its turn comes. @throws {TransactionScopeError} when it did not come in time */
  take<Result> (start: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(turn)
        reject(new TransactionScopeError())
      }, this.#timeoutMillis)
      // Whoever ends the scope before starts this; what it runs belongs to the one who called.
      const turn = { start: AsyncResource.bind(() => { start().then(resolve, reject) }), reject, timer }
      this.#waiting.add(turn)
    })
  }

  /** Starts what waits, in order, for as long as `free` says so: a scope among them holds up those behind it. */
  next (free: () => boolean): void {
    for (const turn of this.#waiting) {
      if (!free()) return
      this.#leave(turn)
      turn.start()
    }
  }

  /** Refuses all that wait. */
  clear (reason: () => Error): void {
    for (const turn of this.#waiting) {
      this.#leave(turn)
      turn.reject(reason())
    }
  }

  #leave (turn: Turn): void {
    clearTimeout(turn.timer)
    this.#waiting.delete(turn)
  }
}
