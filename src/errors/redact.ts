import { sqlStates } from './sqlstate-codes.js'
import { DrizzleQueryError } from 'drizzle-orm'

/** What pg makes of PostgreSQL's ErrorResponse. */
export interface PostgresError extends Error {
  readonly code: string
  readonly severity?: string
  readonly table?: string
  readonly column?: string
  readonly constraint?: string
  readonly routine?: string
}

/** Fields that may quote a row, a parameter or a statement. */
const quotingFields = new Set(['detail', 'hint', 'where', 'internalQuery'])

/** SQLSTATE classes whose messages name things of the schema or the server, and nothing that a row holds. */
const namingClasses = new Set(['08', '0A', '23', '25', '26', '28', '34', '3B', '3D', '3F', '40', '42', '53', '54', '55', '57', '58'])

/** `syntax error at or near "…"` quotes the statement, literals included. */
const syntaxError = sqlStates.syntaxError

/** The routine behind PL/pgSQL's RAISE: its message is whatever the function put together. */
const raise = 'exec_stmt_raise'

const redactedErrors = new WeakSet<Error>()

/** Whether an error is PostgreSQL's. A SQLSTATE has five letters and digits; so has EPIPE, which comes without a severity. */
export function isPostgresError (error: unknown): error is PostgresError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' &&
    /^[0-9A-Z]{5}$/.test(error.code) && ('severity' in error || /\d/.test(error.code))
}

/** Whether an error is the JavaScript engine's own, as a conversion of a value throws it. */
function isConversionError (error: unknown): error is TypeError | RangeError | SyntaxError {
  return error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError
}

/** Without Drizzle's wrapper, whose message holds the SQL and its values. */
export function unwrapped (error: unknown): unknown {
  return error instanceof DrizzleQueryError ? error.cause : error
}

/**
 * An error as it may be logged: the same class, code and names, without what may hold values.
 *
 * Loggers print the message, the stack and the enumerable properties of an error and of its causes. So `detail`, `hint`,
 * `where` and `internalQuery` are not enumerable here, and a message that may quote a value is replaced. Nothing is lost
 * to someone who debugs: `detail` can be read as ever, and `original`, not enumerable either, is the error as it came.
 */
export function withoutValues (error: unknown): unknown {
  const failure = unwrapped(error)
  if (isPostgresError(failure)) return redacted(failure, mayQuote(failure) ? `SQLSTATE ${failure.code}` : failure.message)
  // BigInt('ada') and JSON.parse quote what they were given.
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

/** Where it was thrown, without the message that V8 writes above it. */
function framesOf (error: Error): string {
  const stack = String(error.stack)
  const start = stack.indexOf(error.message)
  return start === -1 ? '' : stack.slice(start + error.message.length)
}
