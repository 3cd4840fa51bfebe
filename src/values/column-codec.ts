import { Column, SQL, getTableName, is } from 'drizzle-orm'
import { elementOf } from '../drizzle/array-columns.js'
import { columnTypeOf, dataTypeOf, isArrayType } from '../drizzle/column-types.js'
import { typeOf, writerOf } from './driver-values.js'
import { rowParser } from './row-parser.js'
import { isCoarse } from './timestamp-reader.js'
import type { PgColumn } from 'drizzle-orm/pg-core'
import type { RowParser, RowReader } from '../statement/statement.js'
import type { RowColumn } from './row-parser.js'

/** A column and how its values are checked, written and read. */
export interface ColumnCodec extends RowColumn {
  /** The index in the table: the short, unique name of the column in the key of a shape. */
  readonly index: number
  /** Whether a JavaScript value may fit the column; PostgreSQL makes the final check. */
  readonly accepts: (value: unknown) => boolean
  /** Converts a value for pg. @throws the errors of the column's own mapper */
  readonly write: (value: unknown) => unknown
  /** Whether LIKE works on it. */
  readonly textual: boolean
  /** Whether PostgreSQL has equality for its type. */
  readonly comparable: boolean
  /** Whether it is json or jsonb. */
  readonly json: boolean
  /** Whether its type is an array: a list of its values is then not a PostgreSQL array. */
  readonly array: boolean
  /** Whether its type is `bytea`. */
  readonly bytes: boolean
  /** Whether a Date, its value, has fewer digits than it: a Date stands for each microsecond that is read as it. */
  readonly coarse: boolean
  /** How several values are sent as one parameter: as an array of its type, or of texts that PostgreSQL converts; undefined if they cannot be. */
  readonly list: 'typed' | 'text' | undefined
}

/**
 * A reader for rows of these columns, in this order, with the same results as Drizzle's own mapper. It is made once per shape, its
 * parser once for the reported types.
 */
export function rowReader (columns: readonly ColumnCodec[]): RowReader {
  return oncePerTypes((fields) => rowParser(columns, fields))
}

/** A reader that makes its parser once for the reported types. */
export function oncePerTypes (reader: RowReader): RowReader {
  let known: { readonly types: string, readonly parse: RowParser } | undefined
  return (fields) => {
    const types = fields.map(({ dataTypeID }) => dataTypeID).join()
    if (known?.types !== types) known = { types, parse: reader(fields) }
    return known.parse
  }
}

/** A row, and PostgreSQL's texts of some of its columns, for a cursor. */
export interface PlacedRow {
  readonly row: Record<string, unknown>
  readonly position: ReadonlyArray<string | null>
}

/** A reader for rows, and for the texts at some places. */
export function placedReader (reader: RowReader, places: readonly number[]): RowReader {
  return (fields) => {
    const parse = reader(fields)
    return (texts) => ({ row: parse(texts), position: places.map((place) => texts[place]) })
  }
}

/** A row, and whether it was just created. */
export interface CreatedRow {
  readonly row: Record<string, unknown>
  readonly created: boolean
}

/** A reader for rows of these columns, followed by whether the row is new. */
export function createdReader (columns: readonly ColumnCodec[]): RowReader {
  const reader = rowReader(columns)
  return (fields) => {
    const parse = reader(fields)
    return (texts) => ({ row: parse(texts), created: texts[columns.length] === 't' })
  }
}

/** Makes the codec of one column. */
export function describeColumn (key: string, index: number, column: PgColumn): ColumnCodec {
  const columnType = columnTypeOf(column)
  return {
    key,
    index,
    table: getTableName(column.table),
    column,
    accepts: acceptor(column),
    write: writerOf(column),
    textual: textualTypes.has(columnType),
    comparable: !incomparableTypes.has(columnType),
    json: columnType === 'PgJson' || columnType === 'PgJsonb',
    array: isArrayType(column),
    bytes: typeOf(column) === 'bytea',
    coarse: isCoarse(column),
    list: listing(column)
  }
}

function listing (column: PgColumn): ColumnCodec['list'] {
  if (isArrayType(column)) return 'text'
  const columnType = columnTypeOf(column)
  const isKnown = columnType === 'PgCustomColumn' ? commonTypes.has(typeOf(column)) : !columnType.startsWith('PgGeometry')
  return isKnown ? 'typed' : undefined
}

/**
 * Types of custom columns whose arrays use commas. Any other name may be an array, or a type with its own delimiter, as in PostGIS.
 */
const commonTypes = new Set([
  'smallint', 'int2', 'integer', 'int', 'int4', 'bigint', 'int8', 'numeric', 'decimal', 'real', 'float4', 'double precision', 'float8', 'money',
  'boolean', 'bool',
  'text', 'varchar', 'character varying', 'char', 'character', 'bpchar', 'citext', 'bytea', 'bit', 'bit varying', 'varbit', 'uuid', 'json', 'jsonb', 'xml',
  'date', 'time', 'timetz', 'time with time zone', 'time without time zone', 'timestamp', 'timestamptz', 'timestamp with time zone',
  'timestamp without time zone', 'interval',
  'inet', 'cidr', 'macaddr', 'macaddr8', 'tsvector', 'tsquery', 'hstore', 'ltree', 'vector', 'halfvec', 'sparsevec',
  'int4range', 'int8range', 'numrange', 'tsrange', 'tstzrange', 'daterange',
  'int4multirange', 'int8multirange', 'nummultirange', 'tsmultirange', 'tstzmultirange', 'datemultirange'
])

const textualTypes = new Set<string>(['PgText', 'PgVarchar', 'PgChar', 'PgCustomColumn'])
const incomparableTypes = new Set<string>(['PgJson', 'PgPointTuple', 'PgPointObject'])
const scalarTypes = new Set<string>(['number', 'bigint', 'boolean'])

/** Checks values by type: Drizzle passes most values on unchecked, and pg would write an object into a text column as JSON. */
function acceptor (column: PgColumn): (value: unknown) => boolean {
  const element = elementOf(column)
  if (element !== undefined) {
    const accepts = acceptor(element)
    return (value) => Array.isArray(value) && value.every((item) => item === null || accepts(item))
  }
  const dataType = dataTypeOf(column)
  if (dataType === 'string') return (value) => typeof value === 'string'
  if (scalarTypes.has(dataType)) return isScalar
  if (dataType === 'date') return isDate
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

/** Whether a value is Drizzle's SQL. */
export function isSql (value: unknown): value is SQL {
  return isInstance(value) && is(value, SQL)
}

/** Whether a value is a column of a Drizzle table. */
export function isColumn (value: unknown): value is Column {
  return isInstance(value) && is(value, Column)
}

/** Guards Drizzle's `is`, which needs a prototype with a constructor (a parsed query string has none) and is slow for the values of rows. */
function isInstance (value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype !== null && prototype !== Object.prototype && prototype !== Array.prototype && prototype !== Date.prototype
}
