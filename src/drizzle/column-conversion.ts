/**
 * How Drizzle's columns convert values. In 0.45 each column has two methods. In 1.0 most have none: the conversions by type belong
 * to the driver, and only custom types have methods.
 */
import { Column } from 'drizzle-orm'
import { elementOf } from './array-columns.js'
import { newDialect } from './sql-writer.js'
import { isDrizzle1 } from './version.js'
import type { PgColumn } from 'drizzle-orm/pg-core'

/** Converts one value. */
export type Conversion = (value: unknown) => unknown

/** How a column reads a value from the driver. */
export interface ColumnReading {
  /** Undefined if the value stays as it is. */
  readonly read: Conversion | undefined
  /** Whether it expects PostgreSQL's text rather than the result of pg's parser. */
  readonly ofText: boolean
}

/** A class of columns. */
interface ColumnClass {
  readonly prototype: PgColumn
  [Symbol.hasInstance] (value: unknown): boolean
}

/** The conversions of Drizzle 1.0 by the type of a column. */
interface Codecs {
  get (column: PgColumn, name: 'cast' | 'normalize'): Conversion | undefined
}

type MaybeNoop = Conversion & { readonly isNoop?: true }

/** Conversions that 0.45 does in the column; 1.0 leaves them to pg's parsers, which a program may replace. */
const readsByClass = new Map<string, Conversion>([
  ['PgNumeric', String],
  ...['PgJson', 'PgJsonb'].map((type) => [type, jsonOf] as const),
  ...['PgInteger', 'PgSmallInt', 'PgReal', 'PgDoublePrecision'].map((type) => [type, numberOf] as const)
])

function numberOf (value: unknown): unknown {
  return typeof value === 'string' ? Number(value) : value
}

const { codecs } = newDialect(undefined) as unknown as { codecs: Codecs }

/** The value of a json column over another type, which always comes as text. */
function jsonOf (text: unknown): unknown {
  try {
    return JSON.parse(text as string)
  } catch {
    return text
  }
}

/**
 * Whether a column reads its values as its class does; a program may have given it another method. An array never does: in 1.0 it has
 * the class of its elements.
 */
export function readsAs (column: PgColumn, type: ColumnClass): boolean {
  return column instanceof type && elementOf(column) === undefined && readsAsBuilt(column, type.prototype)
}

function readsAsBuilt ({ mapFromDriverValue }: PgColumn, prototype: PgColumn): boolean {
  return isDrizzle1 ? (mapFromDriverValue as MaybeNoop).isNoop === true : mapFromDriverValue === prototype.mapFromDriverValue
}

/** How Drizzle reads a column that is not an array. */
export function readingOf (column: PgColumn): ColumnReading {
  const own = (value: unknown): unknown => column.mapFromDriverValue(value)
  if (!isDrizzle1) return { read: readsAsBuilt(column, Column.prototype as PgColumn) ? undefined : own, ofText: false }
  const byType = codecs.get(column, 'normalize') ?? readsByClass.get(column.columnType)
  const isPlain = readsAsBuilt(column, column)
  return {
    read: byType === undefined ? isPlain ? undefined : own : isPlain ? byType : (value) => own(byType(value)),
    // Drizzle 1.0 casts these types to text in its own SELECT.
    ofText: codecs.get(column, 'cast') !== undefined
  }
}

/** How Drizzle writes a column that is not an array. It throws the errors of the column's own method. */
export function writingOf (column: PgColumn): Conversion {
  const { columnType, mapToDriverValue } = column
  const isJson = columnType === 'PgJson' || columnType === 'PgJsonb'
  return isDrizzle1 && isJson && (mapToDriverValue as MaybeNoop).isNoop === true ? JSON.stringify : (value) => column.mapToDriverValue(value)
}
