import { PgBigInt53, PgBigSerial53, PgBoolean, PgInteger, PgSerial, PgSmallInt, PgSmallSerial } from 'drizzle-orm/pg-core'
import { elementOf } from '../../drizzle/array-columns.js'
import { readsAs } from '../../drizzle/column-conversion.js'
import { dataTypeOf } from '../../drizzle/column-types.js'
import { isDocument, readerOf } from '../driver-values.js'
import { holdsNumbers, holdsWholeNumbers } from '../number-types.js'
import { momentWriter } from '../timestamp-reader.js'
import { anyForm, quoted, valueWriter } from './json-form.js'
import type { PgColumn } from 'drizzle-orm/pg-core'
import type { TextReader } from '../driver-values.js'
import type { JsonForm, JsonType } from './json-form.js'

/** Writes a text of PostgreSQL as JSON; undefined if the text is JSON. */
export type JsonWriter = ((text: string) => string) | undefined

const int8 = 20
const wholeNumberTypes = new Set([int8, 21, 23])
const booleanType = 16

const wholeNumberColumns = [PgInteger, PgSmallInt, PgSerial, PgSmallSerial, PgBigInt53, PgBigSerial53]

const texts: readonly JsonType[] = ['any', 'string', 'date', 'time']
const asDocument: ReadonlySet<JsonType> = new Set(['any', 'document'])
const asNumber: ReadonlySet<JsonType> = new Set(['any', 'integer', 'number'])

/**
 * The writer of a column for the type that PostgreSQL reports: the JSON of the value that the column would be read as. The usual types
 * need no value. A document keeps PostgreSQL's own text, whose numbers have all their digits.
 */
export function jsonWriter (column: PgColumn, oid: number, form: JsonForm): JsonWriter {
  const { type } = form
  if (asDocument.has(type) && isDocument(column, oid)) return undefined
  const read = readerOf(column, oid)
  if (read === undefined) return texts.includes(type) ? quoted : valueWriter(form)
  if (type === 'boolean' || type === 'any') {
    if (oid === booleanType && readsAs(column, PgBoolean) && read('t') === true) return (text) => text === 't' ? 'true' : 'false'
  }
  if (asNumber.has(type) && isWholeNumber(column, oid, read)) return oid === int8 ? rounded : undefined
  const moment = type === 'string' || type === 'any' ? momentWriter(column) : undefined
  if (moment !== undefined) return moment
  const write = valueWriter(form)
  return (text) => write(read(text))
}

/** Whether the text of a column is its number. The program may have given pg another parser, or the column another method. */
function isWholeNumber (column: PgColumn, oid: number, read: NonNullable<TextReader>): boolean {
  return wholeNumberTypes.has(oid) && wholeNumberColumns.some((type) => readsAs(column, type)) && read('7') === 7
}

/** The JSON of a number, which may have fewer digits than its text. */
function rounded (text: string): string {
  return text.length < 16 ? text : `${Number(text)}`
}

/** The forms of the values of each kind. Those of documents, and of types of the program's own, are not known. */
const typesByKind: Readonly<Record<string, readonly JsonType[]>> = {
  string: texts,
  number: ['any', 'number', 'string'],
  bigint: ['integer', 'number', 'string'],
  boolean: ['any', 'boolean', 'string'],
  date: texts,
  buffer: ['any', 'string'],
  array: ['any', 'array']
}

const everyType: readonly JsonType[] = ['any', 'string', 'date', 'time', 'integer', 'number', 'boolean', 'array', 'document']

/** The forms that the values of a column have. Numbers may be read as texts. */
function typesOf (column: PgColumn): readonly JsonType[] {
  const kind = dataTypeOf(column)
  if (kind !== 'string' && kind !== 'number') return typesByKind[kind] ?? everyType
  if (holdsWholeNumbers(column)) return ['any', 'integer', 'number', 'string']
  return typesByKind[holdsNumbers(column) ? 'number' : kind] as readonly JsonType[]
}

/** Whether the values of a column have a form. */
export function fits (column: PgColumn, form: JsonForm): boolean {
  const element = elementOf(column)
  if (element === undefined) return typesOf(column).includes(form.type)
  return (form.type === 'array' || form.type === 'any') && fits(element, form.items ?? anyForm)
}

/** The types of JSON schema that a column can have, in words. */
export function typeWords (column: PgColumn): string {
  const element = elementOf(column)
  if (element !== undefined) return `"array", with items of ${typeWords(element)}`
  return [...new Set(typesOf(column).flatMap((type) => schemaTypes[type] ?? []))].map((type) => `"${type}"`).join(' or ')
}

/** The type of JSON schema of each form; `any` has none. */
const schemaTypes: Readonly<Partial<Record<JsonType, string>>> = {
  string: 'string', date: 'string', time: 'string', integer: 'integer', number: 'number', boolean: 'boolean', array: 'array', document: 'object'
}
