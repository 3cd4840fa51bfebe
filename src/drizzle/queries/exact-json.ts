/**
 * Columns inside the JSON of Drizzle's relational queries. JSON has no bigint, no bytes and no NaN, and its dates and arrays differ
 * from those of columns: so each value is the text of its column there, which is read like a repository reads it. A repository
 * knows the type that PostgreSQL reports; here it is the type that the column declares.
 */
import { is } from 'drizzle-orm'
import { PgColumn } from 'drizzle-orm/pg-core'
import { declaredReader } from '../../values/json-text.js'
import { columnOf, named, passOn } from './exact-fields.js'

/** A field as Drizzle's mapper takes it in either version: an expression with a decoder. */
export interface DecodedField {
  readonly sql: { readonly decoder: { mapFromDriverValue (value: unknown): unknown } }
}

/** A field whose value is the text of its column; undefined for an expression without a column, whose value stays as JSON has it. */
export function readInJson (field: unknown): DecodedField | undefined {
  const column = columnOf(field)
  if (!is(column, PgColumn)) return undefined
  const read = declaredReader(column)
  const mapFromDriverValue = (read === undefined ? passOn : named(column, read)) as (value: unknown) => unknown // every value is a text
  return { sql: { decoder: { mapFromDriverValue } } }
}
