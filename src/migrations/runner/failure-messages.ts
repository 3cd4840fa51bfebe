import { MigrationError } from '../../errors/errors.js'
import { isConnectionLost, toDatabaseError } from '../../errors/to-database-error.js'
import { sqlStates } from '../../errors/sqlstate-codes.js'
import type { DatabaseError } from '../../errors/errors.js'
import type { MigrationStep } from '../history/step.js'

/** active_sql_transaction and invalid_transaction_termination: statements that must not meet a transaction. */
const outsideOnly = new Set([sqlStates.activeSqlTransaction, sqlStates.invalidTransactionTermination])

/** What became of a file that is one transaction. */
export function transactionalFileFailed ({ file, direction }: MigrationStep, { place, sql }: { place: string, sql: string | undefined }, cause: unknown): MigrationError {
  const lost = isConnectionLost(cause)
  if (lost && place === 'COMMIT') {
    return failed(`The connection was lost while ${file} was being committed, and it is not known whether it was: ${again(direction)}, which finds out`, cause)
  }
  const hint = outsideOnly.has(sqlStateOf(cause)) ? '. It holds what cannot run in a transaction: mark it with the line -- data-access: no-transaction' : ''
  const what = lost ? 'The connection was lost' : 'The cause says what PostgreSQL did not like'
  return failed(`${file} failed at ${place} and was rolled back as a whole; the files before it stay ${direction === 'up' ? 'applied' : 'rolled back'}. ${what}${hint}`, cause, sql)
}

/** Where a file outside of a transaction has stopped. */
interface Stop {
  /** The statement that did not get through; behind the last one, that the file was run could not be noted. */
  readonly index: number
  /** It had been begun by a runner before. */
  readonly resumed: boolean
  /** Whether the statement can be tried again by itself. */
  readonly repeats: boolean
}

/** What became of a file that runs outside of a transaction. */
export function nonTransactionalFileFailed ({ file, direction, text: { statements } }: MigrationStep, { index, resumed, repeats }: Stop, cause: unknown): MigrationError {
  const place = index < statements.length ? `statement ${index + 1} of ${statements.length}` : 'the note that it was run'
  const what = isConnectionLost(cause) ? 'The connection was lost' : 'The cause says what PostgreSQL did not like'
  const hint = resumed ? '. It had been begun before, and may have taken effect then: if so, take it out of the file' : ''
  const failure = failed(`${file} stopped at ${place}. What was done before is noted: ${again(direction)}, which goes on there. ${what}${hint}`, cause, statements[index])
  // Without what it is about, nobody takes it for a statement that wants to be tried again.
  return repeats ? failure : about(new MigrationError(failure.message, 'DB_MIGRATION_FAILED', { cause: failure.cause }), statements[index])
}

/** A file that ended its own transaction, or left one open. */
export function brokenTransaction (message: string): MigrationError {
  return new MigrationError(message, 'DB_MIGRATION_FAILED')
}

/** Lets somebody outside hear of something; what they throw ends the run, and is not taken for PostgreSQL's. */
export function notify<Event> (listener: ((event: Event) => void) | undefined, event: Event): void {
  try {
    listener?.(event)
  } catch (cause) {
    throw new MigrationError('A function that was to hear how the migrations go threw an error: they were stopped, and the file that was under way is not finished', 'DB_MIGRATION_FAILED', { cause })
  }
}

/** A file that did not get its locks, however often it was tried. */
export function locksNotAcquired ({ file }: MigrationStep, { attempts, blockedBy }: { attempts: number, blockedBy: readonly string[] }, { cause, context }: DatabaseError): MigrationError {
  const who = blockedBy.length > 0 ? blockedBy.join(', ') : 'Another session'
  return new MigrationError(
    `${file} did not get its locks, and was given up after ${attempts} attempt${attempts === 1 ? '' : 's'} so that nobody has to queue behind it. ${who} stood in its way: wait for that or end it, or raise lockRetries`,
    'DB_MIGRATION_LOCKED', { cause, context }
  )
}

/** The SQLSTATE of PostgreSQL's answer, where the failure is one. */
function sqlStateOf (cause: unknown): string {
  return toDatabaseError(cause).context.sqlState ?? ''
}

function failed (message: string, cause: unknown, sql?: string): MigrationError {
  return about(new MigrationError(message, 'DB_MIGRATION_FAILED', { cause, context: { ...toDatabaseError(cause).context, operation: 'migrate' } }), sql)
}

/** Beside the errors: what is logged of them holds no SQL. */
const statements = new WeakMap<Error, string>()

function about (error: MigrationError, sql: string | undefined): MigrationError {
  if (sql !== undefined) statements.set(error, sql)
  return error
}

/** The statement of a migration at which it failed, as it was sent, for who wrote it. */
export function statementOf (error: Error): string | undefined {
  return statements.get(error)
}

function again (direction: MigrationStep['direction']): string {
  return direction === 'up' ? 'apply once more' : 'roll back once more'
}
