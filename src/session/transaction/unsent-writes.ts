import { isWithin } from './savepoint.js'
import type { Savepoint } from './savepoint.js'

/**
 * The first write of each scope that could not be sent: no connection was available, or a value cannot be written as text.
 * While one is recorded, the transaction must not commit.
 */
export class UnsentWrites {
  #errors: Map<Savepoint | undefined, Error> | undefined

  /** The reason why the transaction must not commit, if any. */
  get error (): Error | undefined { return this.#errors?.values().next().value }

  /** Records a write that could not be sent, and the reason. */
  add (savepoint: Savepoint | undefined, error: Error): void {
    this.#errors ??= new Map()
    if (!this.#errors.has(savepoint)) this.#errors.set(savepoint, error)
  }

  /** Forgets the writes of a scope that is undone. They are recorded by scope, not by time: an earlier write may be refused while it is open. */
  undo (savepoint: Savepoint): void {
    for (const scope of this.#errors?.keys() ?? []) if (isWithin(scope, savepoint)) this.#errors?.delete(scope)
  }
}
