/** Fields of PostgreSQL's error that may quote a row, a parameter or a statement. */
const quoting = new Set(['detail', 'hint', 'where', 'internalQuery'])

/** SQLSTATE classes whose messages name things of the schema or the server, and nothing that a row holds. */
const namingClasses = new Set(['08', '0A', '23', '25', '26', '28', '34', '3B', '3D', '3F', '40', '42', '53', '54', '55', '57', '58'])

/** `syntax error at or near "…"` quotes the statement, literals included. */
const syntaxError = '42601'

/** The routine behind PL/pgSQL's RAISE: its message is whatever the function put together. */
const raise = 'exec_stmt_raise'

/** What PostgreSQL said, if that cannot hold a value; otherwise where to find it. */
function safeMessage (sqlState: string, error: Error): string {
  const quotes = !namingClasses.has(sqlState.slice(0, 2)) || sqlState === syntaxError || Reflect.get(error, 'routine') === raise
  return quotes ? `SQLSTATE ${sqlState} (the text may hold values: see "original" of this error)` : error.message
}

/**
 * PostgreSQL's error as it may be logged: the same class, code and names, without what may hold values.
 *
 * Loggers print an error's message, stack and enumerable properties, and those of its causes. Here `detail`, `hint`,
 * `where` and `internalQuery` are not enumerable, and a message that may quote a value is replaced. Nothing is lost
 * to someone who debugs: `detail` can be read as ever, and `original` is the error as it came.
 */
export function withoutValues (error: Error, sqlState: string): Error {
  return redacted(error, safeMessage(sqlState, error))
}

/** A JavaScript error of a value conversion as it may be logged: `BigInt('ada')` quotes what it was given. */
export function withoutQuote (error: Error): Error {
  return redacted(error, 'a value could not be converted (the text may hold it: see "original" of this error)')
}

function redacted (error: Error, message: string): Error {
  const safe = Object.setPrototypeOf(new Error(message), Object.getPrototypeOf(error)) as Error
  for (const [name, field] of Object.entries(Object.getOwnPropertyDescriptors(error))) {
    if (name === 'message' || name === 'stack') continue
    Object.defineProperty(safe, name, quoting.has(name) ? { ...field, enumerable: false } : field)
  }
  safe.stack = `${error.name}: ${message}${framesOf(error)}`
  return Object.defineProperty(safe, 'original', { value: error })
}

/** Where it was thrown, without the message that V8 writes above it. */
function framesOf (error: Error): string {
  const stack = String(error.stack)
  const start = stack.indexOf(error.message)
  return start === -1 ? '' : stack.slice(start + error.message.length)
}
