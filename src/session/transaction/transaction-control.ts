import { statementName } from '../../statement/statement-name.js'
import type { Outcome } from '../../connection/outcome.js'
import type { LentConnection } from '../../pool/connection-source.js'
import type { Statement } from '../../statement/statement.js'

/** A statement that controls the transaction itself. */
export function control (text: string, name?: string): Statement {
  return { kind: 'write', text, name, values: [], context: { operation: text } }
}

/** Carries a prelude for a statement that has to be sent alone. */
export const nothing = control('')

/** Begins a transaction without running a statement in it. */
export const opening: Statement = { ...nothing, context: { operation: 'begin' } }

/** COMMIT and ROLLBACK, under the same names on every connection. */
export const endings = { commit: control('commit', statementName('commit', 'commit')), rollback: control('rollback', statementName('rollback', 'rollback')) }

/**
 * Sends COMMIT or ROLLBACK and gives the connection back.
 * The connection is destroyed if PostgreSQL does not answer in time, or had no transaction to end.
 */
export async function endTransaction (connection: LentConnection, text: 'commit' | 'rollback', timeoutMillis: number): Promise<Outcome> {
  connection.leaveTransaction()
  const timer = setTimeout(() => connection.destroy(), timeoutMillis)
  const outcome = await connection.run(endings[text])
  clearTimeout(timer)
  if (outcome.missedTransaction) connection.destroy()
  connection.release()
  return outcome
}
