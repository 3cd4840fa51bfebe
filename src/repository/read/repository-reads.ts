import type { PgTable } from 'drizzle-orm/pg-core'
import { handled } from '../../runtime/promises.js'
import { typed } from '../table/answers.js'
import { anyRow, countRows, firstRow, found, getByFilter, getByKey, getByKeys, listRows, pageByCursor, paginateRows, streamRows } from './reads.js'
import type { ColumnKey, Filter, FirstOptions, Key, Page, Picked, Row, RowOptions } from '../types/filters.js'
import type { CursorPage, CursorResult, NumberedPage, Paginated, StreamOptions } from '../types/read-options.js'
import type { ReadContext } from './reads.js'

/** The methods of a repository that read. */
export class RepositoryReads<T extends PgTable> {
  readonly #context: ReadContext

  protected constructor (context: ReadContext) {
    this.#context = context
  }

  /** The row with this primary key, or undefined. */
  get<K extends ColumnKey<T> = ColumnKey<T>> (id: Key<T>, options?: RowOptions<T, K>): Promise<Picked<Row<T>, K> | undefined> {
    return typed(getByKey(this.#context, id, options))
  }

  /**
   * The row with this primary key.
   * @throws NotFoundError when there is none.
   */
  getOrThrow<K extends ColumnKey<T> = ColumnKey<T>> (id: Key<T>, options?: RowOptions<T, K>): Promise<Picked<Row<T>, K>> {
    return typed(found(this.#context, 'getOrThrow', getByKey(this.#context, id, options)))
  }

  /**
   * The one row that matches, or undefined.
   * @throws MultipleResultsError when two rows match.
   */
  getBy<K extends ColumnKey<T> = ColumnKey<T>> (filter: Filter<T>, options?: RowOptions<T, K>): Promise<Picked<Row<T>, K> | undefined> {
    return typed(getByFilter(this.#context, filter, options))
  }

  /**
   * The one row that matches.
   * @throws NotFoundError when none does, MultipleResultsError when two do.
   */
  getByOrThrow<K extends ColumnKey<T> = ColumnKey<T>> (filter: Filter<T>, options?: RowOptions<T, K>): Promise<Picked<Row<T>, K>> {
    return typed(found(this.#context, 'getByOrThrow', getByFilter(this.#context, filter, options)))
  }

  /** The rows with these primary keys, in the order of the keys; keys without a row are left out. */
  getMany (ids: ReadonlyArray<Key<T>>): Promise<Array<Row<T>>> {
    return typed(getByKeys(this.#context, ids))
  }

  /** A page of all rows: 100 unless it has a `limit`. The log says, once for a route, where that was less than there are. */
  getAll<K extends ColumnKey<T> = ColumnKey<T>> (page?: Page<T, K>): Promise<Array<Picked<Row<T>, K>>> {
    return typed(listRows(this.#context, { operation: 'getAll', options: page }))
  }

  /** A page of the rows that match: 100 unless it has a `limit`, as {@link RepositoryReads.getAll}. */
  filter<K extends ColumnKey<T> = ColumnKey<T>> (filter: Filter<T>, page?: Page<T, K>): Promise<Array<Picked<Row<T>, K>>> {
    return typed(listRows(this.#context, { operation: 'filter', filter, options: page }))
  }

  /** The first of the rows that match, in the order asked for, or undefined. */
  first<K extends ColumnKey<T> = ColumnKey<T>> (filter?: Filter<T>, options?: FirstOptions<T, K>): Promise<Picked<Row<T>, K> | undefined> {
    return typed(firstRow(this.#context, filter, options))
  }

  /**
   * A page by its number, and how many rows match in all: two statements, given together. For long lists {@link RepositoryReads.cursor} is faster.
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
   * A page behind a cursor, or in front of one: no row that stays is repeated or left out, whatever changes between two pages.
   *
   * Page 5,000 costs what the first costs where an index has the columns of the order: all of them in one direction and none
   * nullable, or the first not nullable. A cursor belongs to its table, filter and order.
   *
   * @throws ValidationError for a cursor of another list, and for one that is damaged.
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
   * The rows that match, one by one, however many: all as they were at the first, with one batch in memory.
   *
   * It reads on a read-only connection of its own, from the first row until the last, `break` or an error, and does not see
   * what its session has not committed. It goes on after the commit of a request, and ends with the request.
   *
   * @throws ValidationError at once, for a filter that cannot be, UsageError for an option; PoolTimeoutError at the first row, where the pool
   * has no connection to spare and the session holds another.
   * @example
   * ```ts
   * for await (const user of repo.stream({ active: true }, { batchSize: 1000 })) await mailer.send(user.email)
   * ```
   */
  stream<K extends ColumnKey<T> = ColumnKey<T>> (filter?: Filter<T>, options?: StreamOptions<T, K>): AsyncGenerator<Picked<Row<T>, K>, void, undefined> {
    return streamRows(this.#context, filter, options) as AsyncGenerator<never, void, undefined> // as in typed() below
  }

  /** How many rows match. */
  count (filter?: Filter<T>): Promise<number> {
    return handled(countRows(this.#context, filter))
  }

  /** Whether any row matches. */
  exists (filter?: Filter<T>): Promise<boolean> {
    return handled(anyRow(this.#context, filter))
  }
}
