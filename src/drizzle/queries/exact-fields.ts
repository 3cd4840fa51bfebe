/**
 * The columns of Drizzle's own queries, read as a repository reads them: Drizzle's mapper loses NULL and backslashes in arrays,
 * parses strings in json twice, and makes an invalid Date of `infinity`.
 */
import { SQL, getTableName, is } from 'drizzle-orm'
import { PgColumn } from 'drizzle-orm/pg-core'
import { exactReaderOf, parserOf } from '../../values/driver-values.js'
import { decoderOf } from '../sql-internals.js'
import { unreadableColumn } from '../../values/unreadable-text.js'
import type { Column } from 'drizzle-orm'
import type { RowReader } from '../../statement/statement.js'

/** What a query selects, as Drizzle hands it to its mapper of rows. */
interface SelectedField {
  readonly path: string[]
  readonly field: unknown
}

/** The same fields for Drizzle's mapper, and a reader for what it would lose. */
export interface ExactReading<Fields> {
  readonly fields: Fields
  readonly reader: RowReader
  /** The columns that read, by the places of their fields. */
  readonly columns: readonly unknown[]
}

/** Undefined where Drizzle's own way loses nothing. */
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
  const read = fields.map((selected, place) => exact[place] === undefined ? selected : { ...selected, field: asRead(selected.field) })
  return { fields: read as unknown as Fields, reader, columns } // the same, but for how they are read
}

/** What a field is read by: itself, or what it was told to be read by. */
function columnOf (field: unknown): unknown {
  return is(field, SQL) ? decoderOf(field) : is(field, SQL.Aliased) ? decoderOf(field.sql) : field
}

/** How a column reads; undefined where Drizzle loses nothing. */
function exactReading (column: unknown): ((oid: number) => (text: string) => unknown) | undefined {
  const exact = is(column, PgColumn) ? exactReaderOf(column) : undefined
  if (exact === undefined) return undefined
  const { name, table } = column as PgColumn // or there would be no reader
  return (oid) => {
    const read = exact(oid)
    return (text) => {
      try {
        return read(text)
      } catch (error) {
        throw unreadableColumn({ key: name, table: getTableName(table) }, error)
      }
    }
  }
}

const passOn = (value: unknown): unknown => value

/** A field whose values have been read: Drizzle's mapper passes them on. */
function asRead (field: unknown): unknown {
  if (is(field, SQL.Aliased)) return Object.create(field, { sql: { value: asRead(field.sql) } })
  return Object.create(field as Column | SQL, is(field, SQL) ? { decoder: { value: { mapFromDriverValue: passOn } } } : { mapFromDriverValue: { value: passOn } })
}
