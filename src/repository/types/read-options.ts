import type { PgTable } from 'drizzle-orm/pg-core'
import type { ColumnKey, Direction, OrderBy } from './filters.js'

/** Which page of a numbered list is read. */
export interface NumberedPage<T extends PgTable, K extends ColumnKey<T> = ColumnKey<T>> {
  /** The number of the page; the first is 1. @defaultValue 1 */
  readonly page?: number
  /** How many rows a page has, at least 1. @defaultValue `repository.defaultLimit`, 100; at most `repository.maxLimit`, 1000 */
  readonly limit?: number
  /** @defaultValue the primary key, ascending */
  readonly orderBy?: OrderBy<T>
  /** Only these columns. @defaultValue all of them */
  readonly columns?: readonly K[]
}

/** One page of a list, and how long the list is. */
export interface Paginated<Row> {
  readonly items: Row[]
  /** The number of this page, from 1. */
  readonly page: number
  readonly limit: number
  /** How many rows match in all, also on a page past the end. */
  readonly total: number
  readonly pages: number
}

/** The order of a list that is read by cursor: columns in their order of weight, and behind them the primary key. */
export type CursorOrder<T extends PgTable> = {
  readonly [Key in ColumnKey<T>]?: Direction | { readonly direction: Direction, readonly nulls?: 'first' | 'last' }
}

/** Which part of a list is read by cursor. Without `after` and `before` it is the first. */
export interface CursorPage<T extends PgTable, K extends ColumnKey<T> = ColumnKey<T>> {
  /** Rows behind this cursor, which is the `next` of a page before. */
  readonly after?: string | undefined
  /** Rows in front of this cursor, which is the `previous` of a page before; in the order of the list as well. */
  readonly before?: string | undefined
  /** How many rows a page has, at least 1. @defaultValue `repository.defaultLimit`, 100; at most `repository.maxLimit`, 1000 */
  readonly limit?: number
  /** The same for every page of a list. @defaultValue the primary key, ascending */
  readonly orderBy?: CursorOrder<T>
  /** Only these columns. @defaultValue all of them */
  readonly columns?: readonly K[]
}

/** Rows of a list, and the cursors of the pages beside them. */
export interface CursorResult<Row> {
  readonly items: Row[]
  /** Give it as `after` to read on; null where the list ends. */
  readonly next: string | null
  /** Give it as `before` to go back; null where the list begins. */
  readonly previous: string | null
}

/** How a stream is read. */
export interface StreamOptions<T extends PgTable, K extends ColumnKey<T> = ColumnKey<T>> {
  /** How many rows are fetched at a time, and held in memory at most: 1 to 10,000. @defaultValue 500 */
  readonly batchSize?: number
  /** @defaultValue the primary key, ascending */
  readonly orderBy?: OrderBy<T>
  /** Only these columns. @defaultValue all of them */
  readonly columns?: readonly K[]
}
