import { failureOn } from '../../connection/outcome.js'
import { CommitUnknownError, TransactionBrokenError } from '../../errors/errors.js'
import type { Caller } from '../../statement/caller.js'
import type { SessionContext } from './session-context.js'
import type { Statement, StatementResult } from '../../statement/statement.js'

/** Runs one statement that commits by itself, on the next connection that is available. */
export async function runAutocommit ({ pool, constraints }: SessionContext, caller: Caller, statement: Statement): Promise<StatementResult<never>> {
  const { context, nowait, kind } = statement
  const connection = await pool.connect(caller)
  const { error, result, lost } = await connection.run(statement, connection.leading(statement))
  const leftOpen = error === undefined && connection.status !== 'I'
  const failure = error && failureOn(connection, error, { context, nowait, constraints })
  connection.release()
  if (leftOpen) throw new TransactionBrokenError('A statement began a transaction of its own, which was undone: use database.transaction()', { context })
  if (failure === undefined) return result as StatementResult<never>
  // If the connection is lost, the outcome of a write is unknown.
  throw lost && kind !== 'read' ? new CommitUnknownError(undefined, { cause: failure.cause, context }) : failure
}
