import { wordsOf } from './constraint-words.js'
import type { ConstraintMap } from './constraint-words.js'
import {
  CheckViolationError, CommitUnknownError, ConnectionError, DatabaseError, DeadlockError, ExclusionViolationError,
  ForeignKeyViolationError, LockTimeoutError, NotNullViolationError, NotStoredError, PolicyViolationError, ReadOnlyError,
  SerializationFailureError, StatementTimeoutError, TransactionAbortedError, TransactionTimeoutError, UniqueViolationError, ValidationError
} from './errors.js'
import type { ErrorContext } from './errors.js'
import { flag, object } from '../runtime/option-checks.js'
import type { OptionChecks } from '../runtime/option-checks.js'
import { checkCall } from './check-call.js'
import { isPostgresError, unwrapped } from './redact.js'
import type { PostgresError } from './redact.js'

type ErrorClass = new (...args: ConstructorParameters<typeof LockTimeoutError>) => DatabaseError

/** SQLSTATE to class; what is not here is looked up by its first two letters. */
const classes: ReadonlyMap<string, ErrorClass> = new Map<string, ErrorClass>([
  ['22001', ValidationError], // string_data_right_truncation
  ['22003', ValidationError], // numeric_value_out_of_range
  ['22007', ValidationError], // invalid_datetime_format
  ['22008', ValidationError], // datetime_field_overflow
  ['22009', ValidationError], // invalid_time_zone_displacement_value
  ['22015', ValidationError], // interval_field_overflow
  ['22021', ValidationError], // character_not_in_repertoire: NUL in a text
  ['22P02', ValidationError], // invalid_text_representation
  ['22P05', ValidationError], // untranslatable_character: NUL inside jsonb
  ['428C9', ValidationError], // generated_always
  ['23502', NotNullViolationError],
  ['23503', ForeignKeyViolationError],
  ['23505', UniqueViolationError],
  ['23514', CheckViolationError],
  ['23P01', ExclusionViolationError],
  ['44000', CheckViolationError], // with_check_option_violation: a view refuses the row
  ['25P02', TransactionAbortedError], // in_failed_sql_transaction
  ['25P03', TransactionTimeoutError], // idle_in_transaction_session_timeout
  ['25P04', TransactionTimeoutError], // transaction_timeout
  ['3D000', ConnectionError], // invalid_catalog_name: no such database
  ['40001', SerializationFailureError],
  ['40003', CommitUnknownError], // statement_completion_unknown
  ['40P01', DeadlockError],
  ['55P03', LockTimeoutError], // lock_not_available
  ['57014', StatementTimeoutError], // query_canceled
  ['57P01', ConnectionError], // admin_shutdown
  ['57P02', ConnectionError], // crash_shutdown
  ['57P03', ConnectionError], // cannot_connect_now
  ['57P04', ConnectionError], // database_dropped
  ['57P05', TransactionTimeoutError], // idle_session_timeout
  ['08', ConnectionError], // connection exception
  ['28', ConnectionError], // invalid authorization
  ['53', ConnectionError] // insufficient resources
])

/**
 * Failures that share their SQLSTATE with others, by the function in PostgreSQL's source that raises them: a row that a policy
 * refuses has the SQLSTATE of a missing privilege, and rules that leave nothing to return that of whatever is not supported.
 */
const classesOfRoutines: ReadonlyMap<string, ErrorClass> = new Map<string, ErrorClass>([
  ['42501 ExecWithCheckOptions', PolicyViolationError],
  ['0A000 RewriteQuery', NotStoredError]
])

/** What may help whoever reads it, where the class alone says too little. */
const hints: ReadonlyMap<string, string> = new Map([
  ['42P01', 'A table does not exist in the database: run your migrations'] // undefined_table
])

/** read_only_sql_transaction */
const readOnlyState = '25006'

/** A server in recovery does not begin a SERIALIZABLE transaction. */
const notSerializableRoutine = '0A000 call_enum_check_hook'

/** PostgreSQL ends the connection with these; its severity says so too, but in the server's language. */
const endingStates = new Set(['25P03', '25P04', '57P01', '57P02', '57P03', '57P04', '57P05'])

/** Codes of Node's own for a connection that is gone or never was, where the error does not name a system call. */
const connectionCodes = /^ERR_(?:SOCKET|STREAM|SSL|TLS)_/

/** What {@link toDatabaseError} may know of the statement and its session. */
export interface ErrorCircumstances {
  readonly context?: ErrorContext | undefined
  /** The session was opened read only: what a standby refuses is the caller's mistake then, and not a failover. */
  readonly readOnly?: boolean | undefined
  /** The statement asked for its lock with NOWAIT. */
  readonly nowait?: boolean | undefined
  readonly constraints?: ConstraintMap | undefined
  /** What the caller knows of the socket, for errors that carry no SQLSTATE; guessed from the error unless given. */
  readonly connectionLost?: boolean | undefined
}

const known: OptionChecks<ErrorCircumstances> = { context: object, readOnly: flag, nowait: flag, constraints: object, connectionLost: flag }

/**
 * The error of this package that stands for a failure: found by SQLSTATE, never by text.
 *
 * One that is ours already comes back as it is, and Drizzle's wrapper, which holds the SQL and its values, is taken off.
 *
 * @throws {UsageError} for circumstances that there are none
 */
export function toDatabaseError (error: unknown, circumstances: ErrorCircumstances = {}): DatabaseError {
  checkCall('toDatabaseError()', circumstances, known)
  const failure = unwrapped(error)
  if (failure instanceof DatabaseError) return failure
  if (isPostgresError(failure)) return fromPostgres(failure, circumstances)
  const { context, connectionLost = isConnectionLost(failure) } = circumstances
  if (connectionLost) return new ConnectionError(undefined, { cause: failure, context })
  const Class = failure instanceof TypeError || failure instanceof RangeError ? ValidationError : DatabaseError
  return new Class(undefined, { cause: failure, context })
}

/**
 * Whether the connection cannot be used any more after this error.
 *
 * Without a SQLSTATE this is read from the error's making: what Node's sockets and TLS throw, and the plain `Error`s of
 * pg, all of which mean that the conversation with the server is over. A session may know better, from its socket.
 */
export function isConnectionLost (error: unknown): boolean {
  const failure = unwrapped(error)
  if (failure instanceof DatabaseError) {
    return isPostgresError(failure.cause) ? isConnectionLost(failure.cause) : failure instanceof ConnectionError
  }
  if (isPostgresError(failure)) {
    return failure.severity === 'FATAL' || failure.severity === 'PANIC' || endingStates.has(failure.code)
  }
  return failure instanceof Error && (
    Object.getPrototypeOf(failure) === Error.prototype ||
    failure instanceof AggregateError || // every address of the host refused
    failure.name === 'error' || // pg's class, without a SQLSTATE: what arrived was not PostgreSQL's protocol
    'syscall' in failure ||
    ('code' in failure && connectionCodes.test(String(failure.code)))
  )
}

function fromPostgres (error: PostgresError, circumstances: ErrorCircumstances): DatabaseError {
  const { message, ...words } = wordsOf(error.constraint, circumstances.constraints)
  const Class = classOf(error, circumstances.readOnly)
  return new Class(message ?? hints.get(error.code), {
    ...words,
    cause: error,
    context: { ...namesOf(error), ...circumstances.context },
    nowait: circumstances.nowait
  })
}

function classOf ({ code: sqlState, routine }: PostgresError, readOnly = false): ErrorClass {
  const raised = `${sqlState} ${routine}`
  if (sqlState === readOnlyState) return readOnly ? ReadOnlyError : ConnectionError
  if (raised === notSerializableRoutine && !readOnly) return ConnectionError
  return classesOfRoutines.get(raised) ?? classes.get(sqlState) ?? classes.get(sqlState.slice(0, 2)) ?? DatabaseError
}

/** What PostgreSQL names of its own accord; for the log. */
function namesOf ({ code, table, column, constraint, routine }: PostgresError): ErrorContext {
  return {
    sqlState: code,
    ...(table !== undefined && { table }),
    ...(column !== undefined && { column }),
    ...(constraint !== undefined && { constraint }),
    ...(routine !== undefined && { routine })
  }
}
