/** Each failed statement becomes a `MigrationError` here, with its file, its number, and PostgreSQL's error as the cause. */
import { MigrationError } from '../../errors/errors.js'
import { isConnectionLost, toDatabaseError } from '../../errors/to-database-error.js'
import { sqlStates } from '../../errors/sqlstate-codes.js'
import type { DatabaseError } from '../../errors/errors.js'
import type { MigrationStep } from '../history/step.js'

/** active_sql_transaction and invalid_transaction_termination: PostgreSQL refuses the statement inside a transaction. */
const outsideOnly = new Set([sqlStates.activeSqlTransaction, sqlStates.invalidTransactionTermination])

/** The point at which a transactional file failed: BEGIN, the number of a statement from 0, the record that the file was run, or COMMIT. */
export type FailurePoint = 'BEGIN' | 'COMMIT' | 'record' | number

/** The error of a file that runs in one transaction. */
export function transactionalFileFailed (step: MigrationStep, point: FailurePoint, cause: unknown): MigrationError {
  const { file, direction } = step
  if (isConnectionLost(cause) && point === 'COMMIT') {
    return failed(`The connection was lost during the COMMIT of ${file}, so its outcome is unknown: ${again(direction)} to find out`, cause)
  }
  const hint = outsideOnly.has(sqlStateOf(cause)) ? '. It holds a statement that cannot run in a transaction: add the line -- data-access: no-transaction' : ''
  const message = `${file} failed at ${placeOf(step, point)} and was rolled back as a whole; the files before it stay ${direction === 'up' ? 'applied' : 'rolled back'}. ${reasonOf(cause)}${hint}`
  return failed(message, cause, { sql: sqlAt(step, point) })
}

/** The point at which a non-transactional file stopped. */
interface Stop {
  /** The statement that failed. After the last statement: the record that the file was run. */
  readonly index: number
  /** Whether an earlier runner had begun the statement. */
  readonly resumed: boolean
  /** Whether the statement may be retried by itself. */
  readonly repeats: boolean
}

/** The error of a file that runs outside a transaction. */
export function nonTransactionalFileFailed (step: MigrationStep, { index, resumed, repeats }: Stop, cause: unknown): MigrationError {
  const { file, direction, text: { statements } } = step
  const hint = resumed ? '. An earlier run had begun it, and it may have taken effect then: if so, remove it from the file' : ''
  const place = placeOf(step, index < statements.length ? index : 'record')
  const message = `${file} stopped at ${place}. The statements before it are recorded as done: ${again(direction)} to continue there. ${reasonOf(cause)}${hint}`
  return failed(message, cause, { sql: sqlAt(step, index), repeats })
}

/** The error of a file that ended its own transaction, or left one open. */
export function brokenTransaction (message: string): MigrationError {
  return new MigrationError(message, 'DB_MIGRATION_FAILED')
}

/** Calls a listener. An error that it throws ends the run, and is reported as the listener's. */
export function notify<Event> (listener: ((event: Event) => void) | undefined, event: Event): void {
  try {
    listener?.(event)
  } catch (cause) {
    throw new MigrationError('A listener, onProgress or onWait, threw an error: the run was stopped, and the current file is not finished', 'DB_MIGRATION_FAILED', { cause })
  }
}

/** The error of a file that did not get its locks in any attempt. */
export function locksNotAcquired ({ file }: MigrationStep, { attempts, blockedBy }: { attempts: number, blockedBy: readonly string[] }, { cause, context }: DatabaseError): MigrationError {
  const blockers = blockedBy.length > 0 ? blockedBy.join(', ') : 'Another session'
  return new MigrationError(
    `${file} did not get its locks in ${attempts} attempt${attempts === 1 ? '' : 's'}, and was given up so that no other statement has to wait for it. ${blockers} blocked it: wait for that or end it, or raise lockRetries`,
    'DB_MIGRATION_LOCKED', { cause, context }
  )
}

/** The SQLSTATE of PostgreSQL's error; empty for any other failure. */
function sqlStateOf (cause: unknown): string {
  return toDatabaseError(cause).context.sqlState ?? ''
}

/** A failure without `repeats` has no SQLSTATE in its context, so `retryLocked()` never retries it. */
function failed (message: string, cause: unknown, { sql, repeats = true }: { sql?: string | undefined, repeats?: boolean } = {}): MigrationError {
  const error = new MigrationError(message, 'DB_MIGRATION_FAILED', { cause, ...repeats && { context: { ...toDatabaseError(cause).context, operation: 'migrate' } } })
  if (sql !== undefined) failedStatements.set(error, sql)
  return error
}

function placeOf ({ text: { statements } }: MigrationStep, point: FailurePoint): string {
  if (point === 'record') return 'the record that it was run'
  return typeof point === 'number' ? `statement ${point + 1} of ${statements.length}` : point
}

function sqlAt ({ text: { statements } }: MigrationStep, point: FailurePoint): string | undefined {
  return typeof point === 'number' ? statements[point] : undefined
}

function reasonOf (cause: unknown): string {
  return isConnectionLost(cause) ? 'The connection was lost' : "The cause has PostgreSQL's error"
}

/** The SQL of each failure. It is kept apart from the errors, because logged errors must hold no SQL. */
const failedStatements = new WeakMap<Error, string>()

/** The failed statement of a migration, as it was sent. Only the command shows it. */
export function statementOf (error: Error): string | undefined {
  return failedStatements.get(error)
}

function again (direction: MigrationStep['direction']): string {
  return direction === 'up' ? 'apply again' : 'roll back again'
}
