import { Column, SQL, getTableName, is } from 'drizzle-orm'
import { elementOf } from '../drizzle/array-columns.js'
import { readerOf, typeOf, writerOf } from './driver-values.js'
import { unreadableColumn } from './unreadable-text.js'
import type { PgColumn } from 'drizzle-orm/pg-core'
import type { RowParser, RowReader } from '../statement/statement.js'

/** A column as the statements of one table use it. */
export interface ColumnCodec {
  /** The property of a row. */
  readonly key: string
  /** The place in the table: short, unique, and so the column's name in the key of a shape. */
  readonly index: number
  /** The table's name, for the context of errors. */
  readonly table: string
  readonly column: PgColumn
  /** Whether a value of JavaScript may become one of this column's type; PostgreSQL has the last word. */
  readonly accepts: (value: unknown) => boolean
  /** A value as pg takes it. @throws what the column's own mapper throws */
  readonly write: (value: unknown) => unknown
  /** LIKE works on it. */
  readonly textual: boolean
  /** PostgreSQL knows when two of its values are equal. */
  readonly comparable: boolean
  /** It holds json or jsonb. */
  readonly json: boolean
  /** Its type is an array, so that a list of its values is no array of PostgreSQL. */
  readonly array: boolean
  /** Its type is `bytea`. */
  readonly bytes: boolean
  /** How many of its values travel as one parameter: as an array of its type, or of texts that PostgreSQL then reads; undefined where only one by one. */
  readonly list: 'typed' | 'text' | undefined
}

/**
 * A reader for rows of these columns, in this order, whose results are those of Drizzle's own mapper: made once for a shape.
 * Its parser is made once for the types that PostgreSQL names, and looks nothing up for a row.
 */
export function rowReader (columns: readonly ColumnCodec[]): RowReader {
  let known: { readonly types: string, readonly parse: RowParser } | undefined
  return (fields) => {
    const types = fields.map(({ dataTypeID }) => dataTypeID).join()
    if (known?.types !== types) known = { types, parse: rowParser(columns, fields) }
    return known.parse
  }
}

/** A row, and PostgreSQL's own texts of some of its columns: what a cursor holds. */
export interface PlacedRow {
  readonly row: Record<string, unknown>
  readonly position: ReadonlyArray<string | null>
}

/** A reader for rows whose first columns are these, with the texts that stand at certain places. */
export function placedReader (columns: readonly ColumnCodec[], places: readonly number[]): RowReader {
  const reader = rowReader(columns)
  return (fields) => {
    const parse = reader(fields)
    return (texts) => ({ row: parse(texts), position: places.map((place) => texts[place]) })
  }
}

/** A row, and whether it was made just now. */
export interface CreatedRow {
  readonly row: Record<string, unknown>
  readonly created: boolean
}

/** A reader for rows of these columns, behind which PostgreSQL says whether they are new. */
export function createdReader (columns: readonly ColumnCodec[]): RowReader {
  const reader = rowReader(columns)
  return (fields) => {
    const parse = reader(fields)
    return (texts) => ({ row: parse(texts), created: texts[columns.length] === 't' })
  }
}

function rowParser (columns: readonly ColumnCodec[], fields: Parameters<RowReader>[0]): RowParser {
  const keys = columns.map(({ key }) => key)
  const readers = columns.map(({ column }, place) => readerOf(column, Number(fields[place]?.dataTypeID)))
  return (texts) => {
    const row: Record<string, unknown> = {}
    let place = 0
    try {
      for (; place < keys.length; place++) {
        const text = texts[place] as string | null
        const read = readers[place]
        row[keys[place] as string] = text === null || read === undefined ? text : read(text)
      }
    } catch (error) {
      throw unreadableColumn(columns[place] as ColumnCodec, error)
    }
    return row
  }
}

/** Describes one column of a table to the statements. */
export function describeColumn (key: string, index: number, column: PgColumn): ColumnCodec {
  return {
    key,
    index,
    table: getTableName(column.table),
    column,
    accepts: acceptor(column),
    write: writerOf(column),
    textual: textualTypes.has(column.columnType),
    comparable: !incomparableTypes.has(column.columnType),
    json: column.columnType === 'PgJson' || column.columnType === 'PgJsonb',
    array: column.getSQLType().endsWith(']'),
    bytes: typeOf(column) === 'bytea',
    list: listing(column)
  }
}

function listing (column: PgColumn): ColumnCodec['list'] {
  if (column.getSQLType().endsWith(']')) return 'text'
  const isKnown = column.columnType === 'PgCustomColumn' ? commonTypes.has(typeOf(column)) : !column.columnType.startsWith('PgGeometry')
  return isKnown ? 'typed' : undefined
}

/**
 * Types of the user's own columns whose arrays are written with commas. Another name may be that of an array, or of a type
 * that has its own mind, as PostGIS has.
 */
const commonTypes = new Set([
  'smallint', 'int2', 'integer', 'int', 'int4', 'bigint', 'int8', 'numeric', 'decimal', 'real', 'float4', 'double precision', 'float8', 'money', 'boolean', 'bool',
  'text', 'varchar', 'character varying', 'char', 'character', 'bpchar', 'citext', 'bytea', 'bit', 'bit varying', 'varbit', 'uuid', 'json', 'jsonb', 'xml',
  'date', 'time', 'timetz', 'time with time zone', 'time without time zone', 'timestamp', 'timestamptz', 'timestamp with time zone', 'timestamp without time zone', 'interval',
  'inet', 'cidr', 'macaddr', 'macaddr8', 'tsvector', 'tsquery', 'hstore', 'ltree', 'vector', 'halfvec', 'sparsevec',
  'int4range', 'int8range', 'numrange', 'tsrange', 'tstzrange', 'daterange', 'int4multirange', 'int8multirange', 'nummultirange', 'tsmultirange', 'tstzmultirange', 'datemultirange'
])

const textualTypes = new Set<string>(['PgText', 'PgVarchar', 'PgChar', 'PgCustomColumn'])
const incomparableTypes = new Set<string>(['PgJson', 'PgPointTuple', 'PgPointObject'])
const scalarTypes = new Set<string>(['number', 'bigint', 'boolean'])

/** Drizzle passes most values on as they are, and pg writes an object into a text column as JSON: neither is meant. */
function acceptor (column: PgColumn): (value: unknown) => boolean {
  const element = elementOf(column)
  if (element !== undefined) {
    const accepts = acceptor(element)
    return (value) => Array.isArray(value) && value.every((item) => item === null || accepts(item))
  }
  if (column.dataType === 'string') return (value) => typeof value === 'string'
  if (scalarTypes.has(column.dataType)) return isScalar
  if (column.dataType === 'date') return isDate
  return isValue
}

function isScalar (value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean'
}

/** An invalid Date has no time. */
function isDate (value: unknown): boolean {
  return value instanceof Date && !Number.isNaN(value.getTime())
}

function isValue (value: unknown): boolean {
  return value !== undefined && typeof value !== 'function' && typeof value !== 'symbol'
}

/** Whether a value is SQL that was written with Drizzle. */
export function isSql (value: unknown): value is SQL {
  return isInstance(value) && is(value, SQL)
}

/** Whether a value is a column of a Drizzle table. */
export function isColumn (value: unknown): value is Column {
  return isInstance(value) && is(value, Column)
}

/** Drizzle's `is` reads the constructor of the prototype, which a parsed query string does not have, and looks long at the values of rows. */
function isInstance (value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype !== null && prototype !== Object.prototype && prototype !== Date.prototype
}
