import { StatementTimeoutError, TransactionClosedError } from '../errors/errors.js'

/** Whether a session was ended because nobody waits for what it does, which is no fault of the server's: its client has left. */
export function waitsNobody (reason: unknown): boolean {
  return reason instanceof TransactionClosedError && reason.statusCode < 500
}

/** What a statement's caller gets to know: one that was cancelled because nobody waits for it is no time-out of the database's. */
export function toldOf (failure: Error, end: (() => Error) | undefined): Error {
  const reason = failure instanceof StatementTimeoutError ? end?.() : undefined
  return reason !== undefined && waitsNobody(reason) ? reason : failure
}
