import { sqlStates } from './sqlstate-codes.js'
import { DrizzleQueryError } from 'drizzle-orm'

/** pg's error for PostgreSQL's ErrorResponse. */
export interface PostgresError extends Error {
  readonly code: string
  readonly severity?: string
  readonly table?: string
  readonly column?: string
  readonly constraint?: string
  readonly routine?: string
  /** Where in the statement, in characters from 1. */
  readonly position?: string
  readonly hint?: string
}

/** Fields that may quote a row, a parameter or a statement. */
const quotingFields = new Set(['detail', 'hint', 'where', 'internalQuery'])

/** SQLSTATE classes whose messages name parts of the schema or the server, never the values of a row. */
const namingClasses = new Set(['08', '0A', '23', '25', '26', '28', '34', '3B', '3D', '3F', '40', '42', '53', '54', '55', '57', '58'])

/** `syntax error at or near "…"` quotes the statement, literals included. */
const syntaxError = sqlStates.syntaxError

/** The routine behind PL/pgSQL's RAISE: the function chooses its message freely. */
const raise = 'exec_stmt_raise'

const redactedErrors = new WeakSet<Error>()

/** Whether an error is PostgreSQL's. Its code has five letters and digits, like Node's EPIPE, but only PostgreSQL adds a severity. */
export function isPostgresError (error: unknown): error is PostgresError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' &&
    /^[0-9A-Z]{5}$/.test(error.code) && ('severity' in error || /\d/.test(error.code))
}

/** Whether an error is one that the JavaScript engine throws when a conversion fails. */
function isConversionError (error: unknown): error is TypeError | RangeError | SyntaxError {
  return error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError
}

/** Removes Drizzle's wrapper, whose message holds the SQL and its values. */
export function unwrapped (error: unknown): unknown {
  return error instanceof DrizzleQueryError ? error.cause : error
}

/**
 * An error for the log: the same class, code and names, without the parts that may hold values.
 *
 * Loggers print the message, the stack and the enumerable properties of an error and of its causes. So `detail`, `hint`,
 * `where` and `internalQuery` are not enumerable here, and a message that may quote a value is replaced. A debugger
 * can still read `detail`, and the unchanged error in `original`, which is not enumerable either.
 */
export function withoutValues (error: unknown): unknown {
  const failure = unwrapped(error)
  if (isPostgresError(failure)) return redacted(failure, mayQuote(failure) ? `SQLSTATE ${failure.code}` : failure.message)
  // BigInt('ada') and JSON.parse quote their argument.
  return isConversionError(failure) ? redacted(failure, 'a value could not be converted') : failure
}

function mayQuote ({ code, routine }: PostgresError): boolean {
  return !namingClasses.has(code.slice(0, 2)) || code === syntaxError || routine === raise
}

function redacted (error: Error, text: string): Error {
  if (redactedErrors.has(error)) return error
  const message = text === error.message ? text : `${text} (what it said may hold values: see "original" of this error)`
  const safe = Object.setPrototypeOf(new Error(message), Object.getPrototypeOf(error)) as Error
  for (const [name, field] of Object.entries(Object.getOwnPropertyDescriptors(error))) {
    if (name === 'message' || name === 'stack') continue
    Object.defineProperty(safe, name, quotingFields.has(name) ? { ...field, enumerable: false } : field)
  }
  safe.stack = `${error.name}: ${message}${framesOf(error)}`
  redactedErrors.add(safe)
  return Object.defineProperty(safe, 'original', { value: error })
}

/** The stack frames, without the message that V8 writes above them. */
function framesOf (error: Error): string {
  const stack = String(error.stack)
  const start = stack.indexOf(error.message)
  return start === -1 ? '' : stack.slice(start + error.message.length)
}
