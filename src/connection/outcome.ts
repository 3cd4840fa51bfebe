import { ConnectionError, DatabaseError, TransactionAbortedError, UsageError } from '../errors/errors.js'
import { toDatabaseError } from '../errors/to-database-error.js'
import { sqlStates } from '../errors/sqlstate-codes.js'
import type { StatementFailure } from '../errors/to-database-error.js'
import type { Response } from './exchange/response.js'
import type { StatementResult } from '../statement/statement.js'

/** The outcome of a statement. */
export interface Outcome {
  /** pg's error, or the reason why the statement was not sent. */
  readonly error: Error | undefined
  readonly result: StatementResult<never> | undefined
  /** Whether PostgreSQL has run it without an error, and nothing behind it has failed. Its rows may still be unreadable. */
  readonly ran: boolean
  /** Whether any byte of it may have been sent. */
  readonly sent: boolean
  /** Whether the connection was lost, so that PostgreSQL's result is unknown. */
  readonly lost: boolean
  /** How many statements of the prelude took effect. */
  readonly preludeDone: number
  /** The answer to the question in the prelude, as text. */
  readonly preludeValue: string | undefined
  /** Whether PostgreSQL had no transaction for a statement that should end one: a pooler may have switched the server. */
  readonly missedTransaction: boolean
}

/** The outcome of a statement that was not sent. */
export function notSent (error: Error): Outcome {
  return { error, result: undefined, ran: false, sent: false, lost: false, preludeDone: 0, preludeValue: undefined, missedTransaction: false }
}

/** The error of a statement that PostgreSQL skipped because an earlier one in its batch failed. */
export function skipped (cause: Error | undefined): Error {
  return new TransactionAbortedError(undefined, { cause })
}

/** The outcome of a statement with this response. */
export function outcomeOf (response: Response, failure: Error | undefined, circumstances: Omit<Outcome, 'error' | 'result' | 'ran' | 'sent'>): Outcome {
  const { lost, preludeDone, preludeValue, missedTransaction } = circumstances
  const error = refusalOfCopy(response, failure) ?? failure ?? (response.unreadable && unreadable(response))
  const result = error === undefined ? response as unknown as StatementResult<never> : undefined // the statement's reader made its rows
  return { error, result, ran: failure === undefined, sent: true, lost, preludeDone, preludeValue, missedTransaction }
}

/** The error of a row that could not be read. A repository's reader names the column. */
function unreadable ({ unreadable: cause, statement: { context } }: Response): DatabaseError {
  if (cause instanceof DatabaseError) return new DatabaseError(cause.message, { cause: cause.cause, context: { ...cause.context, ...context } })
  return new DatabaseError('A column of a row cannot be read: its parser failed', { cause, context })
}

/** A COPY from or to the client. PostgreSQL accepts STDIN and STDOUT in either direction. */
const throughClient = /\bcopy\b[\s\S]*\b(?:from|to)(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)+std(?:in|out)\b/i

/** SQLSTATE of a cancelled statement, and of a COPY FROM STDIN, to which pg sends no rows. */
const cancelled = sqlStates.queryCanceled

const wayOut = 'COPY FROM STDIN and TO STDOUT do not go through execute: take a client by database.pool.connect() and use pg-copy-streams, or write the rows by createMany() and read them by stream()'

/** The error of a COPY from or to the client, which this package does not support; undefined for any other statement. */
function refusalOfCopy ({ statement: { kind, text, context }, tags }: Response, failure: Error | undefined): UsageError | undefined {
  if (kind !== 'raw' || !(Object(failure).code === cancelled || tags.some((tag) => tag.startsWith('COPY ')))) return undefined
  return throughClient.test(text) ? new UsageError(wayOut, { cause: failure, context }) : undefined
}

/** Converts the error of a statement, and destroys the connection if the error says that it cannot be used any more. */
export function failureOn (connection: { destroy (cause?: unknown): void } | undefined, error: Error, circumstances: StatementFailure): DatabaseError {
  const failure = toDatabaseError(error, circumstances)
  if (failure instanceof ConnectionError) connection?.destroy(failure.cause)
  return failure
}
