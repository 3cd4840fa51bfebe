import { TransactionBrokenError } from '../errors/errors.js'
import type { TransactionStatus } from '../pg/client.js'

/**
 * The error if a statement has ended the transaction that it ran in: later statements would run outside, or in another one.
 *
 * PostgreSQL's status shows it, unless the same text began another transaction. `ROLLBACK TO SAVEPOINT` has the tag ROLLBACK
 * too, and leaves the transaction open.
 */
export function endedByUser (tags: readonly string[], status: TransactionStatus, text: string): TransactionBrokenError | undefined {
  const rollback = tags.indexOf('ROLLBACK')
  const hasBegin = tags.some((tag, position) => position > rollback && ['BEGIN', 'START TRANSACTION', 'START'].includes(tag))
  const begunAnew = hasBegin || /\band\b.*\bchain\b/is.test(text)
  const ended = status === 'I' || tags.includes('COMMIT') || tags.includes('PREPARE TRANSACTION') || (rollback !== -1 && begunAnew)
  if (!ended) return undefined
  const kinds = tags.filter((tag) => ['COMMIT', 'ROLLBACK', 'PREPARE TRANSACTION'].includes(tag)).join(', ')
  return new TransactionBrokenError(undefined, { context: { operation: kinds === '' ? 'transaction control' : kinds } })
}
