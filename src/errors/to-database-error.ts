import { wordsOf } from './constraint-words.js'
import { sqlStates } from './sqlstate-codes.js'
import type { ConstraintMap } from './constraint-words.js'
import {
  CheckViolationError, CommitUnknownError, ConnectionError, DatabaseError, DeadlockError, ExclusionViolationError,
  ForeignKeyViolationError, LockTimeoutError, MultipleResultsError, NotNullViolationError, NotStoredError, PolicyViolationError, ReadOnlyError,
  SerializationFailureError, StatementTimeoutError, TransactionAbortedError, TransactionTimeoutError, UniqueViolationError, UsageError, ValidationError
} from './errors.js'
import type { ErrorContext } from './errors.js'
import { anything, flag, object } from '../runtime/option-checks.js'
import type { OptionChecks } from '../runtime/option-checks.js'
import { checkCall } from './check-call.js'
import { missingName } from './missing-name.js'
import { isPostgresError, unwrapped } from './redact.js'
import type { MissingName } from './missing-name.js'
import type { PostgresError } from './redact.js'

type ErrorClass = new (...args: ConstructorParameters<typeof LockTimeoutError>) => DatabaseError

/** The class of each SQLSTATE; any other SQLSTATE is looked up by its first two characters. */
const classes: ReadonlyMap<string, ErrorClass> = new Map<string, ErrorClass>([
  [sqlStates.stringDataRightTruncation, ValidationError],
  [sqlStates.numericValueOutOfRange, ValidationError],
  [sqlStates.invalidDatetimeFormat, ValidationError],
  [sqlStates.datetimeFieldOverflow, ValidationError],
  [sqlStates.invalidTimeZoneDisplacementValue, ValidationError],
  [sqlStates.intervalFieldOverflow, ValidationError],
  [sqlStates.characterNotInRepertoire, ValidationError], // NUL in a text
  [sqlStates.invalidTextRepresentation, ValidationError],
  [sqlStates.untranslatableCharacter, ValidationError], // NUL inside jsonb
  [sqlStates.generatedAlways, ValidationError],
  [sqlStates.notNullViolation, NotNullViolationError],
  [sqlStates.foreignKeyViolation, ForeignKeyViolationError],
  [sqlStates.uniqueViolation, UniqueViolationError],
  [sqlStates.checkViolation, CheckViolationError],
  [sqlStates.exclusionViolation, ExclusionViolationError],
  [sqlStates.withCheckOptionViolation, CheckViolationError], // a view refuses the row
  [sqlStates.inFailedSqlTransaction, TransactionAbortedError],
  [sqlStates.idleInTransactionSessionTimeout, TransactionTimeoutError],
  [sqlStates.transactionTimeout, TransactionTimeoutError],
  [sqlStates.invalidCatalogName, ConnectionError], // no such database
  [sqlStates.serializationFailure, SerializationFailureError],
  [sqlStates.statementCompletionUnknown, CommitUnknownError],
  [sqlStates.deadlockDetected, DeadlockError],
  [sqlStates.lockNotAvailable, LockTimeoutError],
  [sqlStates.queryCanceled, StatementTimeoutError],
  [sqlStates.adminShutdown, ConnectionError],
  [sqlStates.crashShutdown, ConnectionError],
  [sqlStates.cannotConnectNow, ConnectionError],
  [sqlStates.databaseDropped, ConnectionError],
  [sqlStates.idleSessionTimeout, TransactionTimeoutError],
  ['08', ConnectionError], // connection exception
  ['28', ConnectionError], // invalid authorization
  ['53', ConnectionError] // insufficient resources
])

/** A text with values came with too few or too many of them. The same SQLSTATE is a lost connection if a pooler reports it. */
const otherNumberOfValues = `${sqlStates.protocolViolation} exec_bind_message`

/**
 * Failures that share their SQLSTATE with others, by the function in PostgreSQL's source that raises them: a row that a policy
 * refuses has the SQLSTATE of a missing privilege, and a rule that returns nothing has that of an unsupported feature. A subquery with
 * more rows than one has the SQLSTATE of a key that comes twice in one statement.
 */
const classesOfRoutines: ReadonlyMap<string, ErrorClass> = new Map<string, ErrorClass>([
  [`${sqlStates.insufficientPrivilege} ExecWithCheckOptions`, PolicyViolationError],
  [`${sqlStates.featureNotSupported} RewriteQuery`, NotStoredError],
  [`${sqlStates.cardinalityViolation} ExecSetParamPlan`, MultipleResultsError], // a subquery for one row, before the statement
  [`${sqlStates.cardinalityViolation} ExecScanSubPlan`, MultipleResultsError], // the same for each row
  [otherNumberOfValues, UsageError]
])

/** Hints for errors whose class alone is not clear enough. */
const hints: ReadonlyMap<string, string> = new Map([
  [sqlStates.undefinedTable, 'A table does not exist in the database: run your migrations'],
  [otherNumberOfValues, 'The SQL has another number of parameters than values were given']
])

/** A server in recovery does not begin a SERIALIZABLE transaction. */
const notSerializableRoutine = `${sqlStates.featureNotSupported} call_enum_check_hook`

/** PostgreSQL ends the connection with these. The severity shows it too, but in the server's language. */
const endingStates = new Set([sqlStates.idleInTransactionSessionTimeout, sqlStates.transactionTimeout, sqlStates.adminShutdown, sqlStates.crashShutdown, sqlStates.cannotConnectNow, sqlStates.databaseDropped, sqlStates.idleSessionTimeout])

/** Node's codes for a connection that was lost or never opened, if the error does not name a system call. */
const connectionCodes = /^ERR_(?:SOCKET|STREAM|SSL|TLS)_/

/** Facts about the statement and its session for {@link toDatabaseError}. */
export interface ErrorCircumstances {
  readonly context?: ErrorContext | undefined
  /** The session was opened read only: a refusal by a standby is then the caller's mistake, not a failover. */
  readonly readOnly?: boolean | undefined
  /** The statement requested its lock with NOWAIT. */
  readonly nowait?: boolean | undefined
  readonly constraints?: ConstraintMap | undefined
  /** Whether the connection was lost, for errors without a SQLSTATE; by default guessed from the error. */
  readonly connectionLost?: boolean | undefined
}

/** The words of errors, the same for all statements of a database. */
export interface ErrorWords {
  readonly constraints?: ConstraintMap | undefined
  /** Says why a name is missing in the database, if it knows; else the error has the message of its class. */
  readonly explain?: ((missing: MissingName) => string | undefined) | undefined
}

/** The facts of {@link ErrorCircumstances}, and how to word the error. */
export interface StatementFailure extends ErrorCircumstances, ErrorWords {
  /** The SQL, in which PostgreSQL's error names a position. */
  readonly text?: string | undefined
}

const known: OptionChecks<StatementFailure> = { context: object, readOnly: flag, nowait: flag, constraints: object, connectionLost: flag, explain: anything, text: anything }

/**
 * Converts a failure to an error of this package, by SQLSTATE, never by text.
 *
 * An error of this package is returned unchanged. Drizzle's wrapper, which holds the SQL and its values, is removed.
 *
 * @throws {UsageError} for unknown circumstances
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
 * Without a SQLSTATE the kind of the error decides: errors of Node's sockets and TLS, and plain `Error`s of pg, all mean
 * that the connection is over. A session can tell more reliably, from its socket.
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

/** Whether a server has refused something because it is a standby, or was made read-only. */
export function isReadOnlyServer (error: unknown): boolean {
  const failure: unknown = Object(error).cause ?? error
  return isPostgresError(failure) && (failure.code === sqlStates.readOnlySqlTransaction || raisedBy(failure) === notSerializableRoutine)
}

function raisedBy ({ code, routine }: PostgresError): string {
  return `${code} ${routine}`
}

function fromPostgres (error: PostgresError, circumstances: StatementFailure): DatabaseError {
  const { message, ...words } = wordsOf(error.constraint, circumstances.constraints)
  const Class = classOf(error, circumstances.readOnly)
  return new Class(message ?? explanation(error, circumstances) ?? hints.get(error.code) ?? hints.get(raisedBy(error)), {
    ...words,
    cause: error,
    context: { ...namesOf(error), ...circumstances.context },
    nowait: circumstances.nowait
  })
}

function explanation (error: PostgresError, { text, explain }: StatementFailure): string | undefined {
  if (text === undefined || explain === undefined) return undefined
  const missing = missingName(error, text)
  return missing && explain(missing)
}

function classOf (error: PostgresError, readOnly = false): ErrorClass {
  const { code: sqlState } = error
  const raised = raisedBy(error)
  if (sqlState === sqlStates.readOnlySqlTransaction) return readOnly ? ReadOnlyError : ConnectionError
  if (raised === notSerializableRoutine && !readOnly) return ConnectionError
  return classesOfRoutines.get(raised) ?? classes.get(sqlState) ?? classes.get(sqlState.slice(0, 2)) ?? DatabaseError
}

/** The names that PostgreSQL's error contains, for the log. */
function namesOf ({ code, table, column, constraint, routine }: PostgresError): ErrorContext {
  return {
    sqlState: code,
    ...(table !== undefined && { table }),
    ...(column !== undefined && { column }),
    ...(constraint !== undefined && { constraint }),
    ...(routine !== undefined && { routine })
  }
}
