/**
 * Reads the columns of Drizzle's own queries like a repository. Drizzle's mapper loses NULL and backslashes in arrays, parses
 * strings in json twice, and turns `infinity` into an invalid Date.
 */
import { SQL, getTableName, is } from 'drizzle-orm'
import { PgColumn } from 'drizzle-orm/pg-core'
import { exactReaderOf, parserOf } from '../../values/driver-values.js'
import { decoderOf } from '../sql-internals.js'
import { unreadableColumn } from '../../values/unreadable-text.js'
import type { Column } from 'drizzle-orm'
import type { RowReader } from '../../statement/statement.js'

/** A selected field, as Drizzle passes it to its row mapper. */
interface SelectedField {
  readonly path: string[]
  readonly field: unknown
  /** The driver's conversion, in Drizzle 1.0. */
  readonly codec?: unknown
}

/** The same fields for Drizzle's mapper, and a reader for those that it would read with a loss. */
export interface ExactReading<Fields> {
  readonly fields: Fields
  readonly reader: RowReader
  /** The columns that are read here, by the index of their field. */
  readonly columns: readonly unknown[]
}

/** Undefined if Drizzle's mapper loses nothing. */
export function readExactly<Fields> (given: Fields): ExactReading<Fields> | undefined {
  const fields = given as unknown as readonly SelectedField[] // Drizzle does not export the type
  const columns = fields.map(({ field }) => columnOf(field))
  const exact = columns.map(exactReading)
  if (exact.every((reading) => reading === undefined)) return undefined
  const reader: RowReader = (described) => {
    const readers = described.map(({ dataTypeID }, place) => {
      const reading = exact[place]
      return reading === undefined ? parserOf(dataTypeID) : reading(dataTypeID)
    })
    return (texts) => texts.map((text, place) => {
      const read = readers[place]
      return text === null || read === undefined ? text : read(text)
    })
  }
  const read = fields.map((selected, place) => exact[place] === undefined ? selected : { ...selected, field: asRead(selected.field), codec: undefined })
  return { fields: read as unknown as Fields, reader, columns } // the same fields, read differently
}

/** The decoder of a field: its own column, or the one given to `mapWith`. */
export function columnOf (field: unknown): unknown {
  return is(field, SQL) ? decoderOf(field) : is(field, SQL.Aliased) ? decoderOf(field.sql) : field
}

/** The reader of a column; undefined if Drizzle loses nothing. */
function exactReading (column: unknown): ((oid: number) => (text: string) => unknown) | undefined {
  const exact = is(column, PgColumn) ? exactReaderOf(column) : undefined
  if (exact === undefined) return undefined
  return (oid) => named(column as PgColumn, exact(oid)) // only a column has a reader
}

/** A reader whose errors name the column. */
export function named ({ name, table }: PgColumn, read: (text: string) => unknown): (text: string) => unknown {
  return (text) => {
    try {
      return read(text)
    } catch (error) {
      throw unreadableColumn({ key: name, table: getTableName(table) }, error)
    }
  }
}

/** Reads a value that is already read. */
export const passOn = (value: unknown): unknown => value

/** A field whose values are already read: Drizzle's mapper passes them on. */
function asRead (field: unknown): unknown {
  if (is(field, SQL.Aliased)) return Object.create(field, { sql: { value: asRead(field.sql) } })
  const own = is(field, SQL) ? { decoder: { value: { mapFromDriverValue: passOn } } } : { mapFromDriverValue: { value: passOn } }
  return Object.create(field as Column | SQL, own)
}
