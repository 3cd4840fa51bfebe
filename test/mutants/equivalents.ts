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
  }
]
