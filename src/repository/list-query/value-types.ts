import type { PgColumn } from 'drizzle-orm/pg-core'
import { columnTypeOf } from '../../drizzle/column-types.js'
import { typeOf } from '../../values/driver-values.js'
import { clocks, dates, days, timestampTexts } from './date-texts.js'
import { textType } from './query-type.js'
import type { QueryType } from './query-type.js'

/** Integers that JavaScript represents exactly. */
function integers (minimum: number, maximum: number): QueryType {
  return {
    schema: { type: 'integer', minimum, maximum },
    read: (given) => {
      const value = typeof given === 'string' && /^-?\d{1,16}$/.test(given) ? Number(given) : given
      return Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum ? value : undefined
    }
  }
}

/** Integers of up to this many digits, as texts, because JSON has no bigint. */
function bigints (digits: number, isInRange: (value: bigint) => boolean = () => true): QueryType {
  const pattern = new RegExp(`^-?\\d{1,${digits}}$`)
  return {
    schema: { type: 'string', pattern: pattern.source },
    read: (given) => {
      const text = Number.isSafeInteger(given) || typeof given === 'bigint' ? String(given) : given
      if (typeof text !== 'string' || !pattern.test(text)) return undefined
      const value = BigInt(text)
      return isInRange(value) ? value : undefined
    }
  }
}

function number (given: unknown): unknown {
  const value = typeof given === 'string' && /^-?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(given) ? Number(given) : given
  return Number.isFinite(value) ? value : undefined
}

/** Whether a four-byte float can hold a number. PostgreSQL refuses numbers that would become infinite, or 0. */
function real (given: unknown): unknown {
  const value = number(given) as number | undefined
  if (value === undefined || value === 0) return value
  const kept = Math.fround(value)
  return Number.isFinite(kept) && kept !== 0 ? value : undefined
}

function boolean (given: unknown): unknown {
  if (given === 'true' || given === true) return true
  return given === 'false' || given === false ? false : undefined
}

/** Texts without a form. */
export const anyText: QueryType = { schema: { type: 'string' }, read: (given) => typeof given === 'string' ? given : undefined }
const smallIntegers = integers(-32768, 32767)
const usualIntegers = integers(-2147483648, 2147483647)
const safeIntegers = integers(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
const bigIntegers = bigints(19, (value) => value === BigInt.asIntN(64, value))
const bigTexts: QueryType = {
  schema: bigIntegers.schema,
  read: (given) => {
    const value = bigIntegers.read(given) as bigint | undefined
    return value === undefined ? value : String(value)
  }
}
const numbers: QueryType = { schema: { type: 'number' }, read: number }

/** True or false. */
export const booleans: QueryType = { schema: { type: 'boolean' }, read: boolean }

const types = {
  PgText: anyText,
  PgVarchar: anyText,
  PgChar: anyText,
  PgUUID: textType('[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}', { format: 'uuid' }),
  PgNumeric: textType('-?\\d{1,1000}(?:\\.\\d{1,1000})?'),
  PgNumericNumber: numbers,
  PgNumericBigInt: bigints(1000),
  PgInteger: usualIntegers,
  PgSerial: usualIntegers,
  PgSmallInt: smallIntegers,
  PgSmallSerial: smallIntegers,
  PgBigInt53: safeIntegers,
  PgBigSerial53: safeIntegers,
  PgBigInt64: bigIntegers,
  PgBigSerial64: bigIntegers,
  PgBigIntString: bigTexts,
  PgReal: { schema: { type: 'number' }, read: real },
  PgDoublePrecision: numbers,
  PgBoolean: booleans,
  PgTimestamp: dates,
  PgDate: dates,
  PgTimestampString: timestampTexts,
  PgDateString: days,
  PgTime: clocks
} as const satisfies Record<string, QueryType | ((column: PgColumn) => QueryType)>

/** Drizzle's column types that have a query type. */
export type QueryColumnType = keyof typeof types | 'PgEnumColumn' | 'PgEnumObjectColumn'

/** The types of custom columns whose values are texts, which the column's own functions convert. */
const customTexts = new Set(['text', 'varchar', 'character varying', 'char', 'character', 'bpchar', 'citext'])

/** The query type of a column; undefined if its values cannot be in a query string. */
export function queryTypeOf (column: PgColumn): QueryType | undefined {
  const columnType = columnTypeOf(column)
  const { enumValues } = column
  if (columnType !== 'PgArray' && enumValues !== undefined && enumValues.length > 0) {
    return { schema: { type: 'string', enum: enumValues }, read: (given) => enumValues.find((value) => value === given) }
  }
  if (columnType === 'PgCustomColumn') return customTexts.has(typeOf(column)) ? anyText : undefined
  if (!Object.hasOwn(types, columnType)) return undefined
  const type = types[columnType as keyof typeof types]
  return typeof type === 'function' ? type(column) : type
}
