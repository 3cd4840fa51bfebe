import type { PgTable } from 'drizzle-orm/pg-core'
import type { ColumnKey, Direction, OrderBy } from './filters.js'

/** The page of a numbered list to read. */
export interface NumberedPage<T extends PgTable, K extends ColumnKey<T> = ColumnKey<T>> {
  /** The number of the page; the first is 1. @defaultValue 1 */
  readonly page?: number
  /** The number of rows on a page, at least 1. @defaultValue `repository.defaultLimit`, 100; at most `repository.maxLimit`, 1000 */
  readonly limit?: number
  /** @defaultValue the primary key, ascending */
  readonly orderBy?: OrderBy<T>
  /** Read only these columns. @defaultValue all of them */
  readonly columns?: readonly K[]
}

/** One page of a list, and the length of the list. */
export interface Paginated<Row> {
  readonly items: Row[]
  /** The number of this page, from 1. */
  readonly page: number
  readonly limit: number
  /** The number of all matching rows, also on a page past the end. */
  readonly total: number
  readonly pages: number
}

/** The order of a list read by cursor: columns, the most significant first. The primary key is always added at the end. */
export type CursorOrder<T extends PgTable> = {
  readonly [Key in ColumnKey<T>]?: Direction | { readonly direction: Direction, readonly nulls?: 'first' | 'last' }
}

/** The page of a list to read by cursor. Without `after` and `before` it is the first. */
export interface CursorPage<T extends PgTable, K extends ColumnKey<T> = ColumnKey<T>> {
  /** Read the rows after this cursor, the `next` of an earlier page. */
  readonly after?: string | undefined
  /** Read the rows before this cursor, the `previous` of an earlier page. They keep the order of the list. */
  readonly before?: string | undefined
  /** The number of rows on a page, at least 1. @defaultValue `repository.defaultLimit`, 100; at most `repository.maxLimit`, 1000 */
  readonly limit?: number
  /** Must be the same for every page of a list. @defaultValue the primary key, ascending */
  readonly orderBy?: CursorOrder<T>
  /** Read only these columns. @defaultValue all of them */
  readonly columns?: readonly K[]
}

/** One page of a list, and the cursors of its neighbours. */
export interface CursorResult<Row> {
  readonly items: Row[]
  /** Pass it as `after` to read the next page; null at the end of the list. */
  readonly next: string | null
  /** Pass it as `before` to read the previous page; null at the start of the list. */
  readonly previous: string | null
}

/** Options for reading a stream. */
export interface StreamOptions<T extends PgTable, K extends ColumnKey<T> = ColumnKey<T>> {
  /** The number of rows fetched at a time and kept in memory: 1 to 10,000. @defaultValue 500 */
  readonly batchSize?: number
  /** @defaultValue the primary key, ascending */
  readonly orderBy?: OrderBy<T>
  /** Read only these columns. @defaultValue all of them */
  readonly columns?: readonly K[]
}
