/** The reasons why a session ends, and the errors for the callers of its statements. */
import { StatementTimeoutError, TransactionAbortedError, TransactionClosedError } from '../../errors/errors.js'
import { toDatabaseError } from '../../errors/to-database-error.js'
import type { LentConnection } from '../../pool/connection-source.js'

/** The reason when the session was committed, rolled back or closed. */
export const closed = (): Error => new TransactionClosedError()

/** Whether a session was ended because its client has left, which is not an error of the server. */
export function isClientGone (reason: unknown): boolean {
  return reason instanceof TransactionClosedError && reason.statusCode < 500
}

/** The error that a statement's caller receives. A statement that was cancelled because the client has left did not time out. */
export function errorForCaller (failure: Error, end: (() => Error) | undefined): Error {
  const reason = failure instanceof StatementTimeoutError ? end?.() : undefined
  return reason !== undefined && isClientGone(reason) ? reason : failure
}

/** What has failed in a transaction, and was not undone: a write that was never sent, or the statement that aborted it. */
export interface Failures {
  readonly unsent: Error | undefined
  readonly failure: Error | undefined
}

/** The reason why the transaction on a connection cannot be committed, if any. */
export function obstacleOn (connection: LentConnection | undefined, { unsent, failure }: Failures): Error | undefined {
  const refusal = connection?.refusal
  if (refusal !== undefined) return toDatabaseError(refusal)
  return connection?.status === 'E' || unsent !== undefined ? new TransactionAbortedError(undefined, { cause: unsent ?? failure }) : undefined
}
