/** Statements that are sent together, with the statements of their prelude. */
import { UsageError, ValidationError } from '../errors/errors.js'
import { sqlStates } from '../errors/sqlstate-codes.js'
import { mayFollow } from '../statement/may-follow.js'
import { refusedUnsent } from './never-ran.js'
import { notSent } from './outcome.js'
import type { ErrorContext } from '../errors/database-error.js'
import type { TransactionStatus } from '../pg/client.js'
import type { LeadingStatement } from '../statement/leading-statement.js'
import type { Statement } from '../statement/statement.js'
import type { Exchange } from './exchange/exchange.js'
import type { Outcome } from './outcome.js'

/** A statement, and the callback that receives its outcome. */
export interface Task {
  readonly statement: Statement
  readonly done: (outcome: Outcome) => void
  /** Called in place of `done` if the connection's isolation level is not READ COMMITTED: the statement was not sent. Without it the level does not matter. */
  readonly unsuited?: (() => void) | undefined
}

/** Statements that are sent together. */
export interface Batch {
  readonly prelude: readonly LeadingStatement[]
  readonly tasks: readonly Task[]
  /** How many statements of `prelude` are not the caller's: they follow its first one, if it has one. */
  readonly added: number
  /** Sent for the second time, without names. */
  readonly isRepeated: boolean
}

export interface SentBatch extends Batch {
  /** Whether a transaction was open before. */
  readonly wasOpen: boolean
}

/** How an exchange ended. */
export interface Finish {
  readonly error: Error | undefined
  readonly started: number
  /** Whether the connection was lost before PostgreSQL ran any of the statements. */
  readonly neverRan: boolean
}

/** The Bind message counts values in 16 bits. */
const mostValues = 65_535

const contextRefused = 'PostgreSQL refused the context of the session, and the cause tells which part: the role does not exist, the database user is not a member of it, or a setting is reserved'

const tooManyValues = 'A statement takes 65,535 values at most: pass a long list as one array, `= any($1)`, or write its rows by several statements'

/** Adds a statement to an exchange; `false` if one of its values cannot be sent. */
export function add ({ statement, done }: Task, exchange: Exchange): boolean {
  const { values, context } = statement
  if (values.length > mostValues) {
    done(notSent(new ValidationError(tooManyValues, { context })))
    return false
  }
  try {
    exchange.add(statement)
    return true
  } catch (error) {
    done(notSent(new ValidationError('A value cannot be written as text', { cause: error, context })))
    return false
  }
}

/** Refuses statements that were not sent. */
export function refuse ({ tasks }: Batch, refusal: Error): void {
  for (const { statement: { context }, done } of tasks) done(notSent(refusedUnsent(refusal, context)))
}

/**
 * Puts statements at the front of a transaction, or of a statement that is a transaction by itself.
 * User SQL that may be several statements, or that cannot run inside a transaction, is left alone.
 */
export function withAdded (batch: Batch, added: readonly LeadingStatement[], status: TransactionStatus): Batch {
  const { prelude, tasks: [task] } = batch
  if (status !== 'I' || batch.added > 0 || (prelude.length === 0 && !mayFollow((task as Task).statement))) return batch
  return { ...batch, prelude: prelude.toSpliced(placeOfAdded(batch), 0, ...added), added: added.length }
}

/** The index in the prelude of what was added, or may be. */
export function placeOfAdded ({ prelude, added }: Batch): number {
  return Math.min(prelude.length - added, 1)
}

/** The caller's own prelude. */
export function ownPrelude (batch: Batch): readonly LeadingStatement[] {
  return batch.added === 0 ? batch.prelude : batch.prelude.toSpliced(placeOfAdded(batch), batch.added)
}

/** The context of an error whose class is not the one of its SQLSTATE. */
export function contextOf ({ tasks: [task] }: Batch, error: Error | undefined): ErrorContext {
  return { ...task?.statement.context, sqlState: Object(error).code }
}

/** SQLSTATEs with which PostgreSQL refuses a role, a name or a value of the context. */
const refusals: ReadonlySet<unknown> = new Set([sqlStates.invalidParameterValue, sqlStates.insufficientPrivilege, sqlStates.invalidName, sqlStates.undefinedObject])

/** The error of a batch; the program's, if PostgreSQL refused the context, which is the only part of a prelude with values. */
export function withReason (batch: Batch, { preludeDone }: Exchange, error: Error | undefined): Error | undefined {
  const hasValues = (batch.prelude[preludeDone]?.values.length ?? 0) > 0
  if (error === undefined || !hasValues || !refusals.has(Object(error).code)) return error
  return new UsageError(contextRefused, { cause: error, context: contextOf(batch, error) })
}

/** How many statements of the caller's own prelude have run. */
export function preludeDoneOf (batch: Batch, preludeDone: number): number {
  return batch.added === 0 ? preludeDone : Math.max(preludeDone - batch.added, Math.min(preludeDone, placeOfAdded(batch)))
}

/**
 * The index of the statement that failed; -1 if all have run and the implicit commit failed.
 * PostgreSQL sends the tag COMMIT when the commit holds: it counts even if the connection was lost right behind it.
 */
export function firstFailed ({ prelude }: Batch, { responses, preludeDone }: Exchange, isLost: boolean): number {
  if (isLost && responses[0]?.command === 'COMMIT') return 1
  return isLost || preludeDone < prelude.length ? 0 : responses.findIndex(({ isDone }) => !isDone)
}
