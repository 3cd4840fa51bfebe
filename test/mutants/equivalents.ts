/** Mutants that change nothing which a program could see. */
export interface Equivalent {
  readonly file: string
  readonly titles: readonly string[]
  readonly reason: string
}

export const equivalents: readonly Equivalent[] = [
  {
    file: 'src/session/scope.ts',
    titles: ['Scope.#run: `this.#ended === undefined && this.#child === undefined` becomes `false`'],
    reason: 'A short cut: the long way does the same where nothing has ended and nothing is open.'
  },
  {
    file: 'src/session/scope.ts',
    titles: ['Scope.#undo: `this.callbacks.afterRollback.length > 0` becomes `true`', 'Scope.#undo: `this.callbacks.afterRollback.length > 0` becomes `this.callbacks.afterRollback.length >= 0`'],
    reason: 'It spares a promise: where there are no callbacks none is called.'
  },
  {
    file: 'src/session/transaction.ts',
    titles: ['Transaction.close: `this.isIdle` becomes `false`'],
    reason: 'It spares an error with its stack: where nothing is under way there is nobody to be refused.'
  },
  {
    file: 'src/session/transaction.ts',
    titles: [
      'Transaction.close: `this.#cancel?.(reason()) this.#reads.close(reason)` becomes `this.#reads.close(reason); this.#cancel?.(reason())`',
      'Transaction.close: `this.#reads.close(reason) this.#proceed()` becomes `this.#proceed(); this.#reads.close(reason)`'
    ],
    reason: 'All are refused in the same turn, for the same reason.'
  }
]
