import type { Column } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { ColumnTypeOf, DataTypeOf } from '../../drizzle/types/column-kinds.js'

type ColumnsOf<T extends PgTable> = T['_']['columns']

/** The kinds of text that PostgreSQL computes with, and custom types, which may be numbers. */
type SummableType = 'PgNumeric' | 'PgBigIntString' | 'PgInterval' | 'PgCustomColumn'

type UnorderedType = 'PgJson' | 'PgPointTuple' | 'PgPointObject' | 'PgLine' | 'PgLineABC'

type IsSummable<C extends Column> = DataTypeOf<C> extends 'number' | 'bigint' ? true : ColumnTypeOf<C> extends SummableType ? true : false

/** The columns of numbers and intervals, and those of custom types, which PostgreSQL checks. */
export type SummableKey<T extends PgTable> = {
  [Key in keyof ColumnsOf<T> & string]: IsSummable<ColumnsOf<T>[Key]> extends true ? Key : never
}[keyof ColumnsOf<T> & string]

/** The columns whose values PostgreSQL can order. */
export type OrderedKey<T extends PgTable> = {
  [Key in keyof ColumnsOf<T> & string]: ColumnTypeOf<ColumnsOf<T>[Key]> extends UnorderedType ? never : Key
}[keyof ColumnsOf<T> & string]

/** The sum of a column: the kind of value that the column has, or null without a value. */
export type Sum<T extends PgTable, K extends keyof ColumnsOf<T>> = SumOf<ColumnsOf<T>[K]> | null

type SumOf<C extends Column> = DataTypeOf<C> extends 'number' ? number
  : DataTypeOf<C> extends 'bigint' ? bigint
    : DataTypeOf<C> extends 'string' ? string : C['_']['data']

/** The average of a column: a number for a column of numbers, else PostgreSQL's text; null without a value. */
export type Average<T extends PgTable, K extends keyof ColumnsOf<T>> = (DataTypeOf<ColumnsOf<T>[K]> extends 'number' ? number : string) | null

/** The least or the greatest value of a column, or null without a value. */
export type Extreme<T extends PgTable, K extends keyof ColumnsOf<T>> = ColumnsOf<T>[K]['_']['data'] | null
