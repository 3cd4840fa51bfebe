import type { PgTable } from 'drizzle-orm/pg-core'
import type { HistoryOperation } from '../../drizzle/types/history-table.js'
import type { ColumnKey, Direction, Row } from './filters.js'

/** One change of a row, as `repo.history()` reads it. */
export interface HistoryEntry<T extends PgTable> {
  /** Grows with each entry of a row. */
  readonly id: number
  /** The time of the change, by the clock of the database. */
  readonly at: Date
  /**
   * What happened to the row. An update that gives it another primary key, tenant or partition is a `delete` under the old one and
   * an `insert` under the new one.
   */
  readonly operation: HistoryOperation
  /** The columns that an update changed, masked ones included; empty for other operations. */
  readonly changed: ReadonlyArray<ColumnKey<T>>
  /**
   * The row before a `delete` or `truncate`, or the changed columns before an `update`; null for an `insert`. Masked columns are
   * missing. A value is what the repository reads from its column, or PostgreSQL's text if the column has a type now that cannot
   * hold it.
   */
  readonly before: Partial<Row<T>> | null
  /** The row after an `insert`, or the changed columns after an `update`, as in {@link HistoryEntry.before}; null for the others. */
  readonly after: Partial<Row<T>> | null
  /** The setting `app.actor` of the transaction, or null. */
  readonly actor: string | null
  /** The setting `app.request_id` of the transaction, or null. */
  readonly requestId: string | null
  /** The setting `app.reason` of the transaction, or null. */
  readonly reason: string | null
  /** The role that the statement ran as. */
  readonly databaseUser: string
  /** The transaction of PostgreSQL, which entries written together share. */
  readonly transactionId: string
}

/** The part of a row's history to read, and its order. */
export interface HistoryOptions {
  /** The number of entries to skip. @defaultValue 0 */
  readonly skip?: number
  /** The most entries to read. @defaultValue `repository.defaultLimit`, 100; at most `repository.maxLimit`, 1000 */
  readonly limit?: number
  /** `'asc'` begins with the oldest entry, `'desc'` with the newest. @defaultValue `'asc'` */
  readonly direction?: Direction
}
