import { TransactionBrokenError } from '../errors/errors.js'
import type { TransactionStatus } from '../pg/client.js'
import type { SentBatch } from './batch.js'
import type { Exchange } from './exchange/exchange.js'

/** The state of a connection after a batch. */
interface After {
  readonly error: Error | undefined
  readonly status: TransactionStatus
  /** Whether the caller believes to be inside a transaction. */
  readonly inTransaction: boolean
}

/** The reason why nothing more may be sent after a batch, if any: BEGIN failed, or the user's own SQL ended the transaction. */
export function refusalAfter ({ prelude, tasks: [task] }: SentBatch, { preludeDone, responses: [response] }: Exchange, after: After): Error | undefined {
  const { error, status, inTransaction } = after
  if (preludeDone < prelude.length && status === 'I') return error
  // A repository's statement cannot end a transaction without PostgreSQL's status showing it.
  const isSuspect = inTransaction && (status === 'I' || task?.statement.kind === 'raw')
  return isSuspect && response !== undefined ? endedByUser(response.tags, status, response.statement.text) : undefined
}

/**
 * The error if a statement has ended the transaction that it ran in: later statements would run outside, or in another one.
 *
 * PostgreSQL's status shows it, unless the same text began another transaction. `ROLLBACK TO SAVEPOINT` has the tag ROLLBACK
 * too, and leaves the transaction open.
 */
function endedByUser (tags: readonly string[], status: TransactionStatus, text: string): TransactionBrokenError | undefined {
  const rollback = tags.indexOf('ROLLBACK')
  const hasBegin = tags.some((tag, position) => position > rollback && ['BEGIN', 'START TRANSACTION', 'START'].includes(tag))
  const begunAnew = hasBegin || /\band\b.*\bchain\b/is.test(text)
  const ended = status === 'I' || tags.includes('COMMIT') || tags.includes('PREPARE TRANSACTION') || (rollback !== -1 && begunAnew)
  if (!ended) return undefined
  const kinds = tags.filter((tag) => ['COMMIT', 'ROLLBACK', 'PREPARE TRANSACTION'].includes(tag)).join(', ')
  return new TransactionBrokenError(undefined, { context: { operation: kinds === '' ? 'transaction control' : kinds } })
}
