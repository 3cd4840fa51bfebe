import { isOptions } from '../runtime/option-checks.js'
import { DatabaseError } from './database-error.js'
import type { DatabaseErrorOptions } from './database-error.js'

export { DatabaseError } from './database-error.js'
export type { DatabaseErrorDefaults, DatabaseErrorOptions, ErrorContext } from './database-error.js'
export { MigrationError } from './migration-error.js'
export type { MigrationErrorCode } from './migration-error.js'

/** No row has the given key, or matches the filter: 404. */
export class NotFoundError extends DatabaseError {
  static override readonly defaults = { code: 'DB_NOT_FOUND', statusCode: 404, message: 'Not found' }
}

/** More than one row matches, but one was requested: 500. */
export class MultipleResultsError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_MULTIPLE_RESULTS',
    statusCode: 500,
    message: 'More than one row matches where one was expected'
  }
}

/**
 * A value, column, filter, page or cursor that cannot be used: 400.
 *
 * It is for input that a handler may pass on from a request: keys, filters, rows and their values, orders, and the numbers and
 * cursors of pages. A mistake that only the program can make is a {@link UsageError}.
 */
export class ValidationError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_VALIDATION',
    statusCode: 400,
    message: 'A value does not fit its column'
  }
}

/**
 * A mistake in the program, which no request can cause: 500, so that it is logged as an error.
 *
 * A view or a table without a key where a table is needed, a class without one, an option that does not exist, a method that
 * the table does not allow, a function that is missing. The message gives the fix.
 */
export class UsageError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_USAGE',
    statusCode: 500,
    message: 'The program uses the database in a way that cannot be'
  }
}

/**
 * PostgreSQL did not store a row of a create or an upsert, or did not return it, because a trigger returned NULL, or a rule
 * or a policy prevented it: 500. The same call would fail again.
 */
export class NotStoredError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_NOT_STORED',
    statusCode: 500,
    message: 'The row was not stored as told: a trigger, a rule or a policy of the database prevented it'
  }
}

/** A row-level-security policy refuses the row of a write: 403. */
export class PolicyViolationError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_POLICY_VIOLATION',
    statusCode: 403,
    message: 'A policy of the database refuses the row'
  }
}

/** With `contextRequired`, a statement has no context: 500. Nothing was sent. */
export class ContextMissingError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_CONTEXT_MISSING',
    statusCode: 500,
    message: 'The statement has no context, and transaction.contextRequired is set: nothing was sent. Give the context by transaction.context, as an option of the session, or by withContext()'
  }
}

/** An update or delete of many rows without a condition: 400. Pass `{ all: true }` to mean every row. */
export class EmptyFilterError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_EMPTY_FILTER',
    statusCode: 400,
    message: 'The filter is empty: pass { all: true } to mean every row'
  }
}

/** Another row has the same unique value: 409. */
export class UniqueViolationError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_UNIQUE_VIOLATION',
    statusCode: 409,
    message: 'A row with the same unique value already exists'
  }
}

/** The row refers to one that is missing, or is still referred to: 409. */
export class ForeignKeyViolationError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_FOREIGN_KEY_VIOLATION',
    statusCode: 409,
    message: 'The row refers to one that does not exist, or another row still refers to it'
  }
}

/** A required value is missing: 422. */
export class NotNullViolationError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_NOT_NULL_VIOLATION',
    statusCode: 422,
    message: 'A required value is missing'
  }
}

/** A value breaks a check constraint: 422. */
export class CheckViolationError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_CHECK_VIOLATION',
    statusCode: 422,
    message: 'A value breaks a rule of the database'
  }
}

/** The row collides with another under an exclusion constraint: 409. */
export class ExclusionViolationError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_EXCLUSION_VIOLATION',
    statusCode: 409,
    message: 'The row overlaps with one that already exists'
  }
}

/** The row has been changed since it was read: 409. Read it again. */
export class StaleRowError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_STALE_ROW',
    statusCode: 409,
    message: 'The row was changed in the meantime: read it again'
  }
}

/** Concurrent transactions could not be serialized: 409, retryable. */
export class SerializationFailureError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_CONFLICT',
    statusCode: 409,
    message: 'The request collided with another one: try again',
    retryable: true
  }
}

/** Two transactions waited for each other, and PostgreSQL ended this one: 409, retryable. */
export class DeadlockError extends DatabaseError {
  static override readonly defaults = SerializationFailureError.defaults
}

/** A statement exceeded its time limit: 503. */
export class StatementTimeoutError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_TIMEOUT',
    statusCode: 503,
    message: 'The database took too long to answer'
  }
}

/** A transaction exceeded its time limit, or its idle limit: 503. */
export class TransactionTimeoutError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_TIMEOUT',
    statusCode: 503,
    message: 'The transaction took too long'
  }
}

/** The options of a {@link LockTimeoutError}. */
export interface LockTimeoutErrorOptions extends DatabaseErrorOptions {
  /** The lock was requested with NOWAIT: a conflict (409), not an overload (503). */
  readonly nowait?: boolean | undefined
}

/** A row lock was not available in time: 503, or 409 if it was requested with NOWAIT. */
export class LockTimeoutError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_LOCK_TIMEOUT',
    statusCode: 503,
    message: 'The row is locked by another request'
  }

  constructor (message?: string, options: LockTimeoutErrorOptions = {}) {
    const given: unknown = options
    const isConflict = isOptions(given) && options.nowait === true && options.statusCode === undefined
    super(message, isConflict ? { ...options, statusCode: 409 } : options)
  }
}

/** No connection became free in time, or too many callers were waiting for one: 503, retryable. */
export class PoolTimeoutError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_POOL_TIMEOUT',
    statusCode: 503,
    message: 'The database is busy: try again',
    retryable: true
  }
}

/** The database cannot be reached, or the connection was lost; nothing was saved: 503, retryable. */
export class ConnectionError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_CONNECTION',
    statusCode: 503,
    message: 'The database is not available: try again',
    retryable: true
  }
}

/** A write in a session that was opened read only: 500. */
export class ReadOnlyError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_READ_ONLY',
    statusCode: 500,
    message: 'The transaction is read only'
  }
}

/** An earlier statement failed, so nothing of the transaction was saved: 500. */
export class TransactionAbortedError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_TRANSACTION_ABORTED',
    statusCode: 500,
    message: 'The transaction was aborted by an earlier statement: nothing was saved'
  }
}

/** The user's own SQL ended the transaction; changes that it committed stay: 500. */
export class TransactionBrokenError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_TRANSACTION_BROKEN',
    statusCode: 500,
    message: 'A statement ended the transaction by itself'
  }
}

/** A statement came after its session or scope had ended, and was not run: 500. */
export class TransactionClosedError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_TRANSACTION_CLOSED',
    statusCode: 500,
    message: 'The transaction has ended: the statement was not run'
  }
}

/** A request ran more statements than its `statementBudget` allows, with `exceed: 'throw'`: 500. Its `context` has the text that was run most often. */
export class StatementBudgetError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_STATEMENT_BUDGET',
    statusCode: 500,
    message: 'The request runs more statements than its statementBudget allows, and this one was not sent: read the rows of a list with one statement (with() or { in: ids }), or raise the budget of the route'
  }
}

/** A statement waited too long for a nested scope to end: 500. */
export class TransactionScopeError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_TRANSACTION_SCOPE',
    statusCode: 500,
    message: 'A nested transaction is open: use the scope that was passed to its function'
  }
}

/** The response to COMMIT was lost, and its outcome could not be determined: 500. */
export class CommitUnknownError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_COMMIT_UNKNOWN',
    statusCode: 500,
    message: 'It is not known whether the changes were saved: look before you try again'
  }
}

/** A commit in several databases failed behind another that has succeeded, which `context.committed` names: 500. */
export class PartialCommitError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_PARTIAL_COMMIT',
    statusCode: 500,
    message: 'Some of the changes were saved, and others may not have been: look before you try again'
  }
}
