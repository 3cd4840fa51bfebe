import { DatabaseError } from '../errors/errors.js'

/** A text of PostgreSQL that has no JavaScript value. The message gives the reason and the fix, never the text. */
export class UnreadableText extends Error {}

/** The error for a row with a column that cannot be read. */
export function unreadableColumn ({ key, table }: { readonly key: string, readonly table: string }, cause: unknown): DatabaseError {
  // Messages of other parsers may contain the value.
  const reason = cause instanceof UnreadableText ? cause.message : 'its declared type cannot read the stored value'
  return new DatabaseError(`Column "${key}" of a row cannot be read: ${reason}`, { cause, context: { operation: 'read', table, columns: [key] } })
}
