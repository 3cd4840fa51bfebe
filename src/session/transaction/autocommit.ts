import { failureOn } from '../../connection/outcome.js'
import { CommitUnknownError, TransactionBrokenError } from '../../errors/errors.js'
import { beforeStatement } from './prelude.js'
import { statementChannel } from '../../channels/channels.js'
import { isWatched } from '../../channels/publish.js'
import { traceStatement } from '../../channels/statement-trace.js'
import type { Outcome } from '../../connection/outcome.js'
import type { ConnectionSource, LentConnection } from '../../pool/connection-source.js'
import type { ContextLead } from './context-lead.js'
import type { Caller } from '../../statement/caller.js'
import type { SessionContext } from './session-context.js'
import type { Statement, StatementResult } from '../../statement/statement.js'

/** One statement, for whom it is run, and the context that leads it. */
export interface Autocommit {
  readonly caller: Caller
  readonly statement: Statement
  readonly lead: ContextLead | undefined
}

/** Runs one statement that commits by itself, on the next connection that is available. With a context, it must not be several statements. */
export function runAutocommit (context: SessionContext, { caller, statement, lead }: Autocommit): Promise<StatementResult<never>> {
  if (!isWatched(statementChannel)) return run(context, { caller, statement, lead })
  return traceStatement(statement, { place: context.place, caller, transaction: undefined }, (traced) => run(context, { caller, statement: traced, lead }))
}

async function run ({ pool, words }: SessionContext, work: Autocommit): Promise<StatementResult<never>> {
  const { statement: { context, nowait, kind, text } } = work
  const { outcome: { error, result, lost }, connection, isShared } = await ask(pool, work)
  const leftOpen = error === undefined && connection.status !== 'I'
  const failure = error && failureOn(connection, error, { context, text, nowait, ...words })
  if (!isShared) connection.release()
  if (leftOpen) throw new TransactionBrokenError('A statement began a transaction of its own, which was undone: use database.transaction()', { context })
  if (failure === undefined) return result as StatementResult<never>
  // If the connection is lost, the outcome of a write is unknown.
  throw lost && kind !== 'read' ? new CommitUnknownError(undefined, { cause: failure.cause, context }) : failure
}

/** The response to a statement, and the connection that it came over. */
interface Answer {
  readonly outcome: Outcome
  readonly connection: LentConnection
  /** Whether others use the connection, too. */
  readonly isShared: boolean
}

function ask (pool: ConnectionSource, { caller, statement, lead }: Autocommit): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const lend = (connection: LentConnection): void => {
      connection.send([{ statement, done: (outcome) => resolve({ outcome, connection, isShared: false }) }], beforeStatement(connection, statement, lead))
    }
    if (pool.shared === undefined || lead !== undefined) pool.acquire({ caller, lend, refuse: reject })
    else pool.shared.acquire({ caller, statement, lend, refuse: reject, answered: (outcome, connection) => resolve({ outcome, connection, isShared: true }) })
  })
}
