import type { PgTable } from 'drizzle-orm/pg-core'
import { handled } from '../../runtime/promises.js'
import { typed } from '../table/answers.js'
import { readHistory } from './history.js'
import { anyRow, countRows, extremeOf, firstRow, found, getByFilter, getByKey, getByKeys, listRows, pageByCursor, paginateRows, streamRows, sumOf } from './reads.js'
import type { Average, Extreme, OrderedKey, Sum, SummableKey } from '../types/aggregates.js'
import type { ColumnKey, Filter, FirstOptions, Key, Page, Picked, Row, RowOptions } from '../types/filters.js'
import type { CursorPage, CursorResult, NumberedPage, Paginated, StreamOptions } from '../types/read-options.js'
import type { HistoryEntry, HistoryOptions } from '../types/history.js'
import type { ReadContext } from './read-context.js'

/** The methods of a repository that read. */
export class RepositoryReads<T extends PgTable> {
  readonly #context: ReadContext

  protected constructor (context: ReadContext) {
    this.#context = context
  }

  /** Reads the row with this primary key, or undefined if there is none. */
  get<K extends ColumnKey<T> = ColumnKey<T>> (id: Key<T>, options?: RowOptions<T, K>): Promise<Picked<Row<T>, K> | undefined> {
    return typed(getByKey(this.#context, id, options))
  }

  /**
   * Reads the row with this primary key.
   * @throws NotFoundError if there is none.
   */
  getOrThrow<K extends ColumnKey<T> = ColumnKey<T>> (id: Key<T>, options?: RowOptions<T, K>): Promise<Picked<Row<T>, K>> {
    return typed(found(this.#context, 'getOrThrow', getByKey(this.#context, id, options)))
  }

  /**
   * Reads the only row that matches, or undefined if none does.
   * @throws MultipleResultsError if several rows match.
   */
  getBy<K extends ColumnKey<T> = ColumnKey<T>> (filter: Filter<T>, options?: RowOptions<T, K>): Promise<Picked<Row<T>, K> | undefined> {
    return typed(getByFilter(this.#context, filter, options))
  }

  /**
   * Reads the only row that matches.
   * @throws NotFoundError if none matches, MultipleResultsError if several do.
   */
  getByOrThrow<K extends ColumnKey<T> = ColumnKey<T>> (filter: Filter<T>, options?: RowOptions<T, K>): Promise<Picked<Row<T>, K>> {
    return typed(found(this.#context, 'getByOrThrow', getByFilter(this.#context, filter, options)))
  }

  /** Reads the rows with these primary keys, in the order of the keys. Keys without a row are skipped. */
  getMany (ids: ReadonlyArray<Key<T>>): Promise<Array<Row<T>>> {
    return typed(getByKeys(this.#context, ids))
  }

  /** Reads a page of all rows: 100 without a `limit`. If the default cuts a list short, this is logged once per route. */
  getAll<K extends ColumnKey<T> = ColumnKey<T>> (page?: Page<T, K>): Promise<Array<Picked<Row<T>, K>>> {
    return typed(listRows(this.#context, { operation: 'getAll', options: page }))
  }

  /** Reads a page of the rows that match: 100 without a `limit`, as with {@link RepositoryReads.getAll}. */
  filter<K extends ColumnKey<T> = ColumnKey<T>> (filter: Filter<T>, page?: Page<T, K>): Promise<Array<Picked<Row<T>, K>>> {
    return typed(listRows(this.#context, { operation: 'filter', filter, options: page }))
  }

  /** Reads the first row that matches, in the given order, or undefined if none does. */
  first<K extends ColumnKey<T> = ColumnKey<T>> (filter?: Filter<T>, options?: FirstOptions<T, K>): Promise<Picked<Row<T>, K> | undefined> {
    return typed(firstRow(this.#context, filter, options))
  }

  /**
   * Reads a page by its number, and the total of rows that match: two statements, sent together. For long lists
   * {@link RepositoryReads.cursor} is faster.
   *
   * @example
   * ```ts
   * const { items, total, pages } = await repo.paginate({ active: true }, { page: 2, limit: 20, orderBy: { name: 'asc' } })
   * ```
   */
  paginate<K extends ColumnKey<T> = ColumnKey<T>> (filter?: Filter<T>, page?: NumberedPage<T, K>): Promise<Paginated<Picked<Row<T>, K>>> {
    return typed(paginateRows(this.#context, filter, page))
  }

  /**
   * Reads the page after or before a cursor. A row that exists throughout is neither repeated nor skipped, whatever else changes
   * between two pages.
   *
   * Page 5,000 costs as much as the first if an index has the columns of the order: all in one direction and none nullable, or the
   * first not nullable. A cursor is valid only for its table, filter and order.
   *
   * @throws ValidationError for a damaged cursor, and for a cursor of another list.
   * @example
   * ```ts
   * const first = await repo.cursor({}, { orderBy: { createdAt: 'desc' }, limit: 20 })
   * const second = await repo.cursor({}, { orderBy: { createdAt: 'desc' }, limit: 20, after: first.next ?? undefined })
   * ```
   */
  cursor<K extends ColumnKey<T> = ColumnKey<T>> (filter?: Filter<T>, page?: CursorPage<T, K>): Promise<CursorResult<Picked<Row<T>, K>>> {
    return typed(pageByCursor(this.#context, filter, page))
  }

  /**
   * Reads any number of matching rows one by one, all as of the first row, with one batch in memory.
   *
   * The stream holds a read-only connection of its own from the first row until the last, `break` or an error. It does not see
   * uncommitted changes of its session. It may go on after the commit of a request, and ends with the request.
   *
   * @throws ValidationError at once for an invalid filter, UsageError at once for an invalid option; PoolTimeoutError at the first
   * row if the pool has no free connection and the session holds another.
   * @example
   * ```ts
   * for await (const user of repo.stream({ active: true }, { batchSize: 1000 })) await mailer.send(user.email)
   * ```
   */
  stream<K extends ColumnKey<T> = ColumnKey<T>> (filter?: Filter<T>, options?: StreamOptions<T, K>): AsyncGenerator<Picked<Row<T>, K>, void, undefined> {
    return streamRows(this.#context, filter, options) as AsyncGenerator<never, void, undefined> // as in typed()
  }

  /** Counts the rows that match. */
  count (filter?: Filter<T>): Promise<number> {
    return handled(countRows(this.#context, filter))
  }

  /** Tells whether any row matches. */
  exists (filter?: Filter<T>): Promise<boolean> {
    return handled(anyRow(this.#context, filter))
  }

  /**
   * Adds up a column over the rows that match; null if none has a value. The sum is of the kind that the column has: a number for
   * `integer`, a bigint for `bigint` with `mode: 'bigint'`, a text with all digits for `numeric`.
   *
   * @throws UsageError for a column that holds no numbers and no intervals; DatabaseError for a sum of whole numbers with more
   * digits than a number holds.
   * @example
   * ```ts
   * const open = await repo.sum('amount', { paidAt: null })
   * ```
   */
  sum<K extends SummableKey<T>> (column: K, filter?: Filter<T>): Promise<Sum<T, K>> {
    return typed(sumOf(this.#context, 'sum', { column, filter }))
  }

  /**
   * Reads the average of a column over the rows that match; null if none has a value. It is a number for a column of numbers. For any
   * other column it is PostgreSQL's text, with more digits than a number holds.
   *
   * @throws UsageError for a column that holds no numbers and no intervals.
   */
  avg<K extends SummableKey<T>> (column: K, filter?: Filter<T>): Promise<Average<T, K>> {
    return typed(sumOf(this.#context, 'avg', { column, filter }))
  }

  /**
   * Reads the least value of a column among the rows that match; null if none has a value. Any column that PostgreSQL can order has
   * one. An index on the column makes it as fast as `get`.
   *
   * @throws UsageError for a column without an order, as json.
   */
  min<K extends OrderedKey<T>> (column: K, filter?: Filter<T>): Promise<Extreme<T, K>> {
    return typed(extremeOf(this.#context, 'min', { column, filter }))
  }

  /** Reads the greatest value of a column; otherwise as {@link RepositoryReads.min}. */
  max<K extends OrderedKey<T>> (column: K, filter?: Filter<T>): Promise<Extreme<T, K>> {
    return typed(extremeOf(this.#context, 'max', { column, filter }))
  }

  /**
   * Reads what happened to the row with this primary key, the newest entry last, also after it was deleted: 100 entries without a
   * `limit`. The table needs an `audit()`.
   *
   * @throws UsageError for a table without an audit
   * @example
   * ```ts
   * const entries = await repo.history(1)
   * const latest = await repo.history(1, { direction: 'desc', limit: 20 })
   * ```
   */
  history (id: Key<T>, options?: HistoryOptions): Promise<Array<HistoryEntry<T>>> {
    return typed(readHistory(this.#context, id, options))
  }
}
