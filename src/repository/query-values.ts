import type { PgColumn } from 'drizzle-orm/pg-core'

/** A part of a JSON schema. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** How values of one type stand in a query string. */
export interface QueryType {
  /** What a validator lets through, and OpenAPI shows. */
  readonly schema: JsonSchema
  /** The value of a column, from a text or from what a validator made of it; undefined where it is none. */
  readonly read: (given: unknown) => unknown
}

function text (schema: JsonSchema, pattern: RegExp): QueryType {
  return {
    schema: { type: 'string', pattern: pattern.source, ...schema },
    read: (given) => typeof given === 'string' && pattern.test(given) ? given : undefined
  }
}

function integer (bits: number): QueryType {
  const largest = 2 ** (bits - 1) - 1
  return {
    schema: { type: 'integer', minimum: -largest, maximum: largest },
    read: (given) => {
      const value = typeof given === 'string' && /^-?\d{1,16}$/.test(given) ? Number(given) : given
      return Number.isSafeInteger(value) && Math.abs(value as number) <= largest ? value : undefined
    }
  }
}

function number (given: unknown): unknown {
  const value = typeof given === 'string' && /^-?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(given) ? Number(given) : given
  return Number.isFinite(value) ? value : undefined
}

function bigint (given: unknown): unknown {
  const value = Number.isSafeInteger(given) ? String(given) : given
  return typeof value === 'string' && /^-?\d{1,18}$/.test(value) ? BigInt(value) : undefined
}

function boolean (given: unknown): unknown {
  if (given === 'true' || given === true) return true
  return given === 'false' || given === false ? false : undefined
}

/** A day, or a time with its zone: without one it would mean another moment on every server. */
const moment = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[-+]\d\d:\d\d))?$/

function date (given: unknown): unknown {
  const value = new Date(typeof given === 'string' && moment.test(given) ? given : NaN)
  return Number.isNaN(value.getTime()) || value.getUTCFullYear() < 1 ? undefined : value
}

const anyText: QueryType = { schema: { type: 'string' }, read: (given) => typeof given === 'string' ? given : undefined }
const integers = integer(32)
const safeIntegers = integer(54)
const smallIntegers = integer(16)
const numbers: QueryType = { schema: { type: 'number' }, read: number }
const bigints: QueryType = { schema: { type: 'string', pattern: '^-?\\d{1,18}$' }, read: bigint }
const dates: QueryType = { schema: { type: 'string', pattern: moment.source }, read: date }

/** Whether something is so. */
export const booleans: QueryType = { schema: { type: 'boolean' }, read: boolean }

const types = {
  PgText: anyText,
  PgVarchar: anyText,
  PgChar: anyText,
  PgUUID: text({ format: 'uuid' }, /^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/),
  PgNumeric: text({}, /^-?\d{1,100}(\.\d{1,100})?$/),
  PgInteger: integers,
  PgSerial: integers,
  PgSmallInt: smallIntegers,
  PgSmallSerial: smallIntegers,
  PgBigInt53: safeIntegers,
  PgBigSerial53: safeIntegers,
  PgBigInt64: bigints,
  PgBigSerial64: bigints,
  PgReal: numbers,
  PgDoublePrecision: numbers,
  PgBoolean: booleans,
  PgTimestamp: dates,
  PgDate: dates,
  PgTimestampString: text({}, moment),
  PgDateString: text({ format: 'date' }, /^\d{4}-\d\d-\d\d$/),
  PgTime: text({}, /^\d\d:\d\d(:\d\d(\.\d{1,6})?)?$/)
} as const satisfies Record<string, QueryType>

/** Drizzle's names of the types whose values can stand in a query string. */
export type QueryColumnType = keyof typeof types | 'PgEnumColumn'

/** How a column's values stand in a query string; undefined where they cannot. */
export function queryTypeOf (column: PgColumn): QueryType | undefined {
  const { columnType, enumValues } = column
  if (enumValues !== undefined && enumValues.length > 0) {
    return { schema: { type: 'string', enum: enumValues }, read: (given) => enumValues.find((value) => value === given) }
  }
  return Object.hasOwn(types, columnType) ? types[columnType as keyof typeof types] : undefined
}
