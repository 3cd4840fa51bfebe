import { DatabaseError, TransactionAbortedError } from '../errors/errors.js'
import { refusalOfCopy } from './copy-refusal.js'
import type { Response } from './response.js'
import type { StatementResult } from '../statement/statement.js'

/** How a statement reached PostgreSQL, for whoever has to tell what became of it. */
export interface Outcome {
  /** The error as pg gave it, or what kept the statement from being sent. */
  readonly error: Error | undefined
  readonly result: StatementResult<never> | undefined
  /** Whether any byte of it may have left. */
  readonly sent: boolean
  /** Whether the connection went with it: what PostgreSQL did is not known then. */
  readonly lost: boolean
  /** How many of the leading statements took effect. */
  readonly preludeDone: number
  /** The first column of what the last leading query answered, as text. */
  readonly preludeAnswer: string | undefined
  /** Whether the statement was to end a transaction and PostgreSQL had none: a pooler on the way has changed the server, say. */
  readonly missedTransaction: boolean
}

/** What was never sent. */
export function notSent (error: Error): Outcome {
  return { error, result: undefined, sent: false, lost: false, preludeDone: 0, preludeAnswer: undefined, missedTransaction: false }
}

/** What becomes of a statement whose predecessor in the same transaction has failed. */
export function skipped (cause: Error | undefined): Error {
  return new TransactionAbortedError(undefined, { cause })
}

/** What an answer came to. */
export function outcomeOf (answer: Response, failure: Error | undefined, { lost, preludeDone, preludeAnswer, missedTransaction }: Omit<Outcome, 'error' | 'result' | 'sent'>): Outcome {
  const error = refusalOfCopy(answer, failure) ?? failure ?? (answer.unreadable && unreadable(answer))
  const result = error === undefined ? answer as unknown as StatementResult<never> : undefined // its rows are what the statement's reader made of them
  return { error, result, sent: true, lost, preludeDone, preludeAnswer, missedTransaction }
}

/** A repository's reader names the column. */
function unreadable ({ unreadable: cause, statement: { context } }: Response): DatabaseError {
  if (cause instanceof DatabaseError) return new DatabaseError(cause.message, { cause: cause.cause, context: { ...cause.context, ...context } })
  return new DatabaseError('A column of a row cannot be read: its parser failed', { cause, context })
}
