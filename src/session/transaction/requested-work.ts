import { setsSomething } from '../../statement/sets-something.js'
import { doubt, isWithin } from './savepoint.js'
import { opening } from './transaction-control.js'
import type { Statement } from '../../statement/statement.js'
import type { Savepoint } from './savepoint.js'

/** What was requested of a transaction so far, besides BEGIN and the reads before it. */
export class RequestedWork {
  #hasRead = false
  #hasWritten = false
  /** The scopes in which the user's own SQL has changed settings. */
  #settingScopes: Set<Savepoint | undefined> | undefined

  get hasRead (): boolean { return this.#hasRead }

  /** Whether anything but plain reads was requested. */
  get hasWritten (): boolean { return this.#hasWritten }

  /** Whether settings are changed: undoing a scope undoes its changes. */
  get hasSettings (): boolean { return this.#settingScopes !== undefined && this.#settingScopes.size > 0 }

  add (statement: Statement, savepoint: Savepoint | undefined): void {
    if (statement.kind === 'raw') {
      doubt(savepoint, statement.text)
      if (setsSomething(statement.text)) (this.#settingScopes ??= new Set()).add(savepoint)
    }
    if (statement.kind === 'read') this.#hasRead = true
    else this.#hasWritten ||= statement !== opening
  }

  undo (savepoint: Savepoint): void {
    for (const scope of this.#settingScopes ?? []) if (isWithin(scope, savepoint)) this.#settingScopes?.delete(scope)
  }
}
