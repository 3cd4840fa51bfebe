import { statementName } from '../statement/statement-name.js'
import type { Statement } from '../statement/statement.js'

/** A statement that controls the transaction itself. */
export function control (text: string, name?: string): Statement {
  return { kind: 'write', text, name, values: [], context: { operation: text } }
}

/** Carries what leads, where the statement itself has to be sent alone. */
export const nothing = control('')

/** Begins a transaction, and asks nothing of it. */
export const opening: Statement = { ...nothing, context: { operation: 'begin' } }

/** What ends a transaction, under names that every connection knows. */
export const endings = { commit: control('commit', statementName('commit', 'commit')), rollback: control('rollback', statementName('rollback', 'rollback')) }
