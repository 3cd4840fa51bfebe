import { DatabaseError } from '../errors/errors.js'

/** A text of PostgreSQL that stands for no value of JavaScript. The message says why, and the way out, but not what the text is. */
export class UnreadableText extends Error {}

/** The error for a row, one of whose columns cannot be read. */
export function unreadableColumn ({ key, table }: { readonly key: string, readonly table: string }, cause: unknown): DatabaseError {
  // The words of other parsers may hold the value.
  const reason = cause instanceof UnreadableText ? cause.message : 'the type that it is declared with cannot read what is stored'
  return new DatabaseError(`Column "${key}" of a row cannot be read: ${reason}`, { cause, context: { operation: 'read', table, columns: [key] } })
}
