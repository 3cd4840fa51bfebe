import { DatabaseError } from '../../src/errors/errors.js'

/**
 * Takes the name of a hidden column out of an error: the value that a hook or a default gave to it may not fit. The log keeps the name,
 * in `context`. The error is changed in place: its session may already hold it.
 */
export function withoutSecrets (error: unknown, secrets: ReadonlySet<string>): unknown {
  if (!(error instanceof DatabaseError) || ![...secrets].some((key) => error.message.includes(key))) return error
  return Object.assign(error, { message: (error.constructor as typeof DatabaseError).defaults.message })
}
