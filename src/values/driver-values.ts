/**
 * Converts values between Drizzle's columns and PostgreSQL's text. It replaces Drizzle's own conversion where that loses
 * something: elements of arrays, strings in json, and dates that ISO 8601 and PostgreSQL write differently.
 */
import { is, SQL } from 'drizzle-orm'
import { PgColumn, PgJson, PgJsonb } from 'drizzle-orm/pg-core'
import pg from 'pg'
import { depthOf, innermost, isPlainArray } from '../drizzle/array-columns.js'
import { readingOf, readsAs, writingOf } from '../drizzle/column-conversion.js'
import { dataTypeOf, sqlTypeOf } from '../drizzle/column-types.js'
import { decoderOf } from '../drizzle/sql-internals.js'
import { prepareValue } from '../pg/values.js'
import { readArray, writeArray } from './array-text.js'
import { elementTypes } from './element-types.js'
import { isUsualDate, momentReader, momentText } from './timestamp-reader.js'

/** Converts a text to a value; undefined if it stays text. */
export type TextReader = ((text: string) => unknown) | undefined

/**
 * Types whose text Drizzle's columns read themselves, as in its node-postgres session:
 * timestamptz, timestamp, date, interval and the arrays of numeric, timestamp, timestamptz, interval, date.
 */
const keptAsText = new Set([1184, 1114, 1082, 1186, 1231, 1115, 1185, 1187, 1182])

/** pg's function for each type without a parser: it leaves the text as it is. */
const noType: number = 0
const noParser = pg.types.getTypeParser(noType, 'text')

/** Converts the text of a type to the value that Drizzle's columns expect, with the parsers that Drizzle gives to pg; undefined if it stays text. */
export function parserOf (oid: number): TextReader {
  if (keptAsText.has(oid)) return undefined
  const parser = pg.types.getTypeParser(oid, 'text')
  return parser === noParser ? undefined : parser
}

/** The reader of a column for the type that PostgreSQL reports: as Drizzle reads it, unless that loses something. */
export function readerOf (column: PgColumn, oid: number): TextReader {
  const exact = exactReaderOf(column)
  return exact === undefined ? drizzleReader(column, oid) : exact(oid)
}

/** The reader of a column that Drizzle would read with a loss; undefined for any other column. */
export function exactReaderOf (column: PgColumn): ((oid: number) => (text: string) => unknown) | undefined {
  if (isPlainArray(column)) return (oid) => arrayReader(column, oid)
  if (isOwnJson(column)) return (oid) => isDocument(column, oid) ? jsonReader(oid) : readingOf(column).read as (text: string) => unknown
  const moment = momentReader(column)
  return moment && (() => moment)
}

function drizzleReader (column: PgColumn, oid: number): TextReader {
  const { read, ofText } = readingOf(column)
  const parse = ofText ? undefined : parserOf(oid)
  if (read === undefined || parse === undefined) return read ?? parse
  return (text) => read(parse(text))
}

/** The reader of an expression, for the type that PostgreSQL reports. It uses the column given to `mapWith`, if any, as Drizzle does. */
export function expressionReader (own: SQL, oid: number): TextReader {
  const decoder = decoderOf(own)
  if (is(decoder, PgColumn)) return readerOf(decoder, oid)
  const parse = parserOf(oid)
  return (text) => decoder.mapFromDriverValue(parse === undefined ? text : parse(text))
}

/** Whether a column is read as JSON of Drizzle's own, and PostgreSQL reports one of its types: its text is JSON. */
export function isDocument (column: PgColumn, oid: number): boolean {
  return isOwnJson(column) && (oid === 114 || oid === 3802)
}

/** Whether a column holds JSON, read in Drizzle's own way. */
export function isOwnJson (column: PgColumn): boolean {
  return readsAs(column, PgJson) || readsAs(column, PgJsonb)
}

function arrayReader (column: PgColumn, oid: number): (text: string) => unknown {
  const element = innermost(column)
  const form = { delimiter: delimiterOf(element), read: readerOf(element, elementTypes.get(oid) ?? 0) }
  return (text) => readArray(text, form)
}

/** A JSON reader that parses once, even if the program's own pg parser already does. */
function jsonReader (oid: number): (text: string) => unknown {
  const parse = pg.types.getTypeParser(oid, 'text') as (text: string) => unknown
  return parse('"1"') === '"1"' ? JSON.parse : parse
}

/** The writer of a column. It throws the errors of Drizzle's columns and custom types. */
export function writerOf (column: PgColumn): (value: unknown) => unknown {
  if (isPlainArray(column)) return arrayWriter(column)
  const write = writingOf(column)
  if (dataTypeOf(column) !== 'date') return write
  return (value) => value instanceof Date && !isUsualDate(value) && Number.isFinite(value.getTime()) ? momentText(value) : write(value)
}

function arrayWriter (column: PgColumn): (value: unknown) => unknown {
  const element = innermost(column)
  const write = writerOf(element)
  const isBytes = typeOf(element) === 'bytea'
  const writing = { delimiter: delimiterOf(element), depth: depthOf(column), write: (value: unknown) => elementText(write(value), isBytes) }
  return (value) => writeArray(value as readonly unknown[], writing) // the column accepts nothing else
}

/** The text of an element between its quotes. @throws for a value that pg would send as bytes, or not at all */
function elementText (value: unknown, isBytes: boolean): string {
  if (typeof value === 'string') return value
  if (value instanceof SQL) throw new TypeError('SQL cannot be an element of an array')
  const prepared = prepareValue(value)
  if (typeof prepared === 'string') return prepared
  if (prepared === null || !isBytes) throw new TypeError('An element of an array has no text')
  return `\\x${prepared.toString('hex')}`
}

/** The SQL type of a column, without its parameters. */
export function typeOf (column: PgColumn): string {
  return sqlTypeOf(column).toLowerCase().replace(/\(.*\)/, '')
}

/** The delimiter of elements (`typdelim` of `pg_type`): a comma, except for boxes and the types of PostGIS. */
function delimiterOf (element: PgColumn): string {
  const type = typeOf(element)
  if (type === 'box') return ';'
  return type === 'geometry' || type === 'geography' ? ':' : ','
}
