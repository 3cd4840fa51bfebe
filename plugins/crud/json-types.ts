/** The values of columns in JSON, as requests give them and as replies show them: numerics and bigints as texts, times as RFC 3339 writes them, bytes in base64. */
import { elementOf } from '../../src/drizzle/array-columns.js'
import { columnTypeOf, dataTypeOf, sqlTypeOf } from '../../src/drizzle/column-types.js'
import { textType } from '../../src/repository/list-query/query-type.js'
import { anyText, queryTypeOf } from '../../src/repository/list-query/value-types.js'
import { typeOf } from '../../src/values/driver-values.js'
import type { PgColumn } from 'drizzle-orm/pg-core'
import type { JsonSchema, QueryType } from '../../src/repository/list-query/query-type.js'

/** The values of one column in JSON. NULL is not among them. */
export interface JsonType {
  /** The schema in requests. */
  readonly schema: JsonSchema
  /** The schema in replies, which may hold what a request may not, such as `infinity`. */
  readonly replySchema: JsonSchema
  /** The value of the column; undefined if it is none. */
  readonly read: (given: unknown) => unknown
  /** The JSON of a value that `toDict` has converted. */
  readonly write: (json: unknown) => unknown
}

const asItIs = (json: unknown): unknown => json
const anything: JsonType = { schema: {}, replySchema: {}, read: asItIs, write: asItIs }

function text (type: QueryType = anyText): JsonType {
  return { ...type, replySchema: anyText.schema, write: asItIs }
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

const bytes: JsonType = {
  schema: { type: 'string', format: 'byte' },
  replySchema: { type: 'string', format: 'byte' },
  read: (given) => typeof given === 'string' && base64.test(given) ? Buffer.from(given, 'base64') : undefined,
  write: asItIs
}

/** JSON has no NaN and no infinities. */
const finiteOrNull = (json: unknown): unknown => typeof json === 'number' && !Number.isFinite(json) ? null : json

/** A number of a reply. */
const numberOrNull = { type: ['number', 'null'] }

/** An array of a fixed number of numbers: a point, a line, a vector. */
function tuple (length: number): JsonType {
  const size = { minItems: length, maxItems: length }
  return {
    schema: { type: 'array', items: { type: 'number' }, ...size },
    replySchema: { type: 'array', items: numberOrNull, ...size },
    read: (given) => Array.isArray(given) && given.length === length && given.every(Number.isFinite) ? given : undefined,
    write: (json) => (json as unknown[]).map(finiteOrNull)
  }
}

/** An object of numbers. */
function numbersOf (...keys: readonly string[]): JsonType {
  const schemaWith = (number: JsonSchema): JsonSchema => ({ type: 'object', properties: Object.fromEntries(keys.map((key) => [key, number])), required: keys, additionalProperties: false })
  const fits = (given: unknown): boolean => Object.keys(Object(given)).length === keys.length && keys.every((key) => Number.isFinite(Object(given)[key]))
  return {
    schema: schemaWith({ type: 'number' }),
    replySchema: schemaWith(numberOrNull),
    read: (given) => fits(given) ? given : undefined,
    write: (json) => Object.fromEntries(Object.entries(json as object).map(([key, number]) => [key, finiteOrNull(number)]))
  }
}

/** `2026-02-01T00:00:00.000Z` without its time. */
const dayOf = (json: unknown): unknown => String(json).replace(/T.*$/, '')

/** What differs from the values of a query string, by the class of the column. */
const changes: Readonly<Record<string, Partial<JsonType> | undefined>> = {
  PgTimestamp: { schema: { type: 'string', format: 'date-time' } },
  PgDate: { schema: { type: 'string', format: 'date' }, write: dayOf },
  PgDateString: { schema: { type: 'string', format: 'date' } },
  PgTimestampString: { replySchema: { type: 'string' } },
  PgTime: { replySchema: { type: 'string' } },
  PgNumeric: { replySchema: { type: 'string' } },
  PgNumericNumber: { replySchema: numberOrNull, write: finiteOrNull },
  PgReal: { replySchema: numberOrNull, write: finiteOrNull },
  PgDoublePrecision: { replySchema: numberOrNull, write: finiteOrNull }
}

/** The types of text that may have a length. */
const limitedTypes: ReadonlySet<string> = new Set(['PgVarchar', 'PgChar'])

/** The types of columns whose values cannot be in a query string. */
const otherTypes: Readonly<Record<string, JsonType | undefined>> = {
  PgPointTuple: tuple(2),
  PgPointObject: numbersOf('x', 'y'),
  PgGeometry: tuple(2),
  PgGeometryObject: numbersOf('x', 'y'),
  PgLine: tuple(3),
  PgLineABC: numbersOf('a', 'b', 'c'),
  PgSparseVector: text(textType('\\{(?:\\d+:-?\\d+(?:\\.\\d+)?(?:,|(?=\\})))*\\}/\\d+'))
}

/** The values of a column in JSON. Those of a type that the package does not know are passed on as they are. */
export function jsonTypeOf (column: PgColumn): JsonType {
  const element = elementOf(column)
  if (element !== undefined) return arrayOf(jsonTypeOf(element))
  const columnType = columnTypeOf(column)
  const length = lengthOf(column)
  switch (columnType) {
    case 'PgBinaryVector': return text(textType(`[01]{${length}}`))
    case 'PgVector':
    case 'PgHalfVector': return tuple(length as number) // its builder demands it
  }
  const type = queryTypeOf(column)
  if (type !== undefined) return { replySchema: type.schema, write: asItIs, ...type, ...lengthLimit(column), ...replyOf(changes[columnType]) }
  const other = otherTypes[columnType]
  if (other !== undefined) return other
  if (dataTypeOf(column) === 'buffer' || typeOf(column) === 'bytea') return bytes
  return dataTypeOf(column) === 'string' ? text() : anything
}

/** The most characters of a text; `char` alone has one. */
function lengthLimit (column: PgColumn): Partial<JsonType> {
  if (column.enumValues?.length || !limitedTypes.has(columnTypeOf(column))) return {}
  const maxLength = lengthOf(column) ?? (typeOf(column) === 'char' ? 1 : undefined)
  return maxLength === undefined ? {} : { schema: { type: 'string', maxLength } }
}

/** A changed schema holds for replies, too. */
function replyOf (change: Partial<JsonType> = {}): Partial<JsonType> {
  return change.schema === undefined ? change : { replySchema: change.schema, ...change }
}

/** The number in the SQL type of a column, as in `varchar(40)`. */
function lengthOf (column: PgColumn): number | undefined {
  const length = /\((\d+)\)/.exec(sqlTypeOf(column))?.[1]
  return length === undefined ? undefined : Number(length)
}

/** Every element may be NULL. */
function arrayOf (element: JsonType): JsonType {
  return {
    schema: { type: 'array', items: nullable(element.schema) },
    replySchema: { type: 'array', items: nullable(element.replySchema) },
    read: (given) => {
      if (!Array.isArray(given)) return undefined
      const values = given.map((item: unknown) => item === null ? null : element.read(item))
      return values.includes(undefined) ? undefined : values
    },
    write: (json) => (json as unknown[]).map((item) => item === null ? null : element.write(item))
  }
}

/** The schema with null among its values. */
export function nullable (schema: JsonSchema): JsonSchema {
  const { type, enum: values } = schema
  if (type === undefined || (Array.isArray(type) && type.includes('null'))) return schema
  return { ...schema, type: [type, 'null'], ...(Array.isArray(values) && { enum: [...values, null] }) }
}
