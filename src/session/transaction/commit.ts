import { parseToken } from '../../replicas/commit-token.js'
import { resolveCommit } from './commit-status.js'
import { TransactionAbortedError, TransactionBrokenError } from '../../errors/errors.js'
import { toDatabaseError } from '../../errors/to-database-error.js'
import { endTransaction } from './transaction-control.js'
import type { TransactionTrace } from '../../channels/transaction-trace.js'
import type { Caller } from '../../statement/caller.js'
import type { LentConnection } from '../../pool/connection-source.js'
import type { SessionContext } from './session-context.js'
import type { TransactionSettings } from '../../settings/transaction-options.js'

/** The transaction that is committed. */
export interface Committing {
  readonly context: SessionContext
  readonly settings: TransactionSettings
  readonly caller: Caller
  /** The transaction's identity on the server, with `resolveCommits`. */
  readonly identity: string | undefined
  /** Undefined as long as nobody watches. */
  readonly trace: TransactionTrace | undefined
}

/**
 * Sends COMMIT and gives the connection back; resolves with the commit's token, if one was requested and could be read.
 * Only PostgreSQL's own confirmation counts: the tag COMMIT, or the status of the transaction's id.
 *
 * @throws {TransactionAbortedError} if PostgreSQL rolled back instead
 * @throws {TransactionBrokenError} if PostgreSQL had no transaction to commit
 * @throws {ConnectionError} if the response was lost, and nothing was saved
 * @throws {CommitUnknownError} if the response was lost, and the outcome is unknown
 */
export function commitOn (connection: LentConnection, committing: Committing): Promise<string | undefined> {
  const { trace } = committing
  const token = commit(connection, committing)
  return trace === undefined ? token : trace.commit(token)
}

async function commit (connection: LentConnection, { context: { pool, words }, settings, caller, identity }: Committing): Promise<string | undefined> {
  const { settleTimeoutMillis: timeoutMillis } = settings
  let token: unknown
  const told = (text: unknown): void => { token = text }
  const { error, result, lost, missedTransaction } = await endTransaction(connection, 'commit', { timeoutMillis, told: settings.token ? told : undefined })
  const context = { operation: 'commit' }
  if (missedTransaction) throw new TransactionBrokenError(undefined, { context })
  if (result?.command === 'COMMIT') return parseToken(token) && String(token)
  if (error === undefined) throw new TransactionAbortedError(undefined, { context })
  if (!lost) throw toDatabaseError(error, { context, constraints: words.constraints })
  await resolveCommit(identity, error, { pool, caller, timeoutMillis })
  return undefined
}
