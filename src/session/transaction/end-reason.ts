/** The reasons why a session ends, and the errors for the callers of its statements. */
import { StatementTimeoutError, TransactionClosedError } from '../../errors/errors.js'

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
