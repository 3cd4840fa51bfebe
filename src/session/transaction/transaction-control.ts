import { cancelUntilIdle } from '../../connection/cancel-until-idle.js'
import { askToken } from '../../replicas/commit-token.js'
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

/** How a transaction is ended. */
export interface EndOptions {
  readonly timeoutMillis: number
  /** For a COMMIT: receives its token, or undefined if that could not be read. */
  readonly told?: ((token: unknown) => void) | undefined
}

/**
 * Sends COMMIT or ROLLBACK and gives the connection back.
 * The connection is destroyed if PostgreSQL does not answer in time, or had no transaction to end.
 */
export function endTransaction (connection: LentConnection, text: 'commit' | 'rollback', { timeoutMillis, told }: EndOptions): Promise<Outcome> {
  connection.leaveTransaction()
  const timer = setTimeout(() => connection.destroy(), timeoutMillis)
  const ending = told === undefined ? connection.run(endings[text]) : commitAndAsk(connection, told)
  return ending.then((outcome) => {
    clearTimeout(timer)
    if (outcome.missedTransaction) connection.destroy()
    connection.release()
    return outcome
  })
}

/**
 * Rolls back and releases a connection; a running statement is cancelled. Never rejects.
 * `hasBegun` is called when nothing runs any more: BEGIN may have travelled with the statement that was cancelled.
 */
export async function rollBack (connection: LentConnection, hasBegun: () => boolean, timeoutMillis: number): Promise<void> {
  await cancelUntilIdle(connection, timeoutMillis)
  if (hasBegun()) await endTransaction(connection, 'rollback', { timeoutMillis })
  connection.release()
}

/** Sends COMMIT and, under the same Sync, the question for its token, which runs in a transaction of its own. */
function commitAndAsk (connection: LentConnection, told: (token: unknown) => void): Promise<Outcome> {
  return new Promise((resolve) => {
    let committed: Outcome
    connection.send([
      { statement: endings.commit, done: (outcome) => { committed = outcome } },
      {
        statement: askToken,
        done: ({ result }) => {
          told(Object(result?.rows[0]).token)
          resolve(committed)
        }
      }
    ])
  })
}
