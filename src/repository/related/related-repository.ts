import type { PgTable } from 'drizzle-orm/pg-core'
import type { AnyRow } from '../table/answers.js'
import { UsageError } from '../../errors/errors.js'
import { handled } from '../../runtime/promises.js'
import type { CursorPage, CursorResult, NumberedPage, Paginated } from '../types/read-options.js'
import type { RelatedRow } from '../types/related-rows.js'
import { selectRelated } from './related-query.js'
import type { RelatedAsked } from './related-query.js'
import type { RepositoryReads } from '../read/repository-reads.js'
import type { StatementRunner } from '../../statement/statement.js'
import { TableStatements } from '../table/table-statements.js'
import type { ColumnKey, Filter, FirstOptions, Key, Page, RowOptions } from '../types/filters.js'

/** The reading methods that related rows are added to. */
type Reading<T extends PgTable> = Pick<RepositoryReads<T>, ReadMethod>

/** The reading methods that return rows. */
export type ReadMethod = 'get' | 'getOrThrow' | 'getBy' | 'getByOrThrow' | 'getMany' | 'getAll' | 'filter' | 'first' | 'paginate' | 'cursor'

/** The parts of a related repository. */
export interface RelatedContext<T extends PgTable> extends RelatedAsked {
  readonly repo: Reading<T>
  readonly session: StatementRunner
  readonly statements: TableStatements
}

/**
 * Reads rows like their repository, each with its related rows.
 *
 * The repository's own statement reads the rows, with its filter, order, limits and visibility. A second statement reads the related
 * rows of all of them. Their values are read like those of any row.
 */
export class RelatedRepository<T extends PgTable, W> {
  readonly #context: RelatedContext<T>

  /** @throws UsageError unless a repository calls it. */
  constructor (context: RelatedContext<T>) {
    // JavaScript, or a cast, may pass anything.
    if (!((context as Partial<RelatedContext<T>> | undefined)?.statements instanceof TableStatements)) {
      throw new UsageError('Related rows are read through a repository: repo.with({ relation: true })')
    }
    this.#context = context
  }

  /** As {@link RepositoryReads.get}. */
  get<K extends ColumnKey<T> = ColumnKey<T>> (id: Key<T>, options?: RowOptions<T, K>): Promise<RelatedRow<T, W, K> | undefined> {
    return this.#one(options, (repo, keyed) => repo.get(id, keyed))
  }

  /** As {@link RepositoryReads.getOrThrow}. @throws NotFoundError if there is none */
  getOrThrow<K extends ColumnKey<T> = ColumnKey<T>> (id: Key<T>, options?: RowOptions<T, K>): Promise<RelatedRow<T, W, K>> {
    return this.#one(options, (repo, keyed) => repo.getOrThrow(id, keyed))
  }

  /** As {@link RepositoryReads.getBy}. @throws MultipleResultsError if several rows match */
  getBy<K extends ColumnKey<T> = ColumnKey<T>> (filter: Filter<T>, options?: RowOptions<T, K>): Promise<RelatedRow<T, W, K> | undefined> {
    return this.#one(options, (repo, keyed) => repo.getBy(filter, keyed))
  }

  /** As {@link RepositoryReads.getByOrThrow}. @throws NotFoundError if none matches, MultipleResultsError if several do */
  getByOrThrow<K extends ColumnKey<T> = ColumnKey<T>> (filter: Filter<T>, options?: RowOptions<T, K>): Promise<RelatedRow<T, W, K>> {
    return this.#one(options, (repo, keyed) => repo.getByOrThrow(filter, keyed))
  }

  /** As {@link RepositoryReads.getMany}. */
  getMany (ids: ReadonlyArray<Key<T>>): Promise<Array<RelatedRow<T, W>>> {
    return this.#many(undefined, (repo) => repo.getMany(ids))
  }

  /** As {@link RepositoryReads.getAll}. */
  getAll<K extends ColumnKey<T> = ColumnKey<T>> (page?: Page<T, K>): Promise<Array<RelatedRow<T, W, K>>> {
    return this.#many(page, (repo, keyed) => repo.getAll(keyed))
  }

  /** As {@link RepositoryReads.filter}. */
  filter<K extends ColumnKey<T> = ColumnKey<T>> (filter: Filter<T>, page?: Page<T, K>): Promise<Array<RelatedRow<T, W, K>>> {
    return this.#many(page, (repo, keyed) => repo.filter(filter, keyed))
  }

  /** As {@link RepositoryReads.first}. */
  first<K extends ColumnKey<T> = ColumnKey<T>> (filter?: Filter<T>, options?: FirstOptions<T, K>): Promise<RelatedRow<T, W, K> | undefined> {
    return this.#one(options, (repo, keyed) => repo.first(filter, keyed))
  }

  /** As {@link RepositoryReads.paginate}. */
  paginate<K extends ColumnKey<T> = ColumnKey<T>> (filter?: Filter<T>, page?: NumberedPage<T, K>): Promise<Paginated<RelatedRow<T, W, K>>> {
    return this.#page(page, (repo, keyed) => repo.paginate(filter, keyed))
  }

  /** As {@link RepositoryReads.cursor}. @throws ValidationError for a cursor of another list */
  cursor<K extends ColumnKey<T> = ColumnKey<T>> (filter?: Filter<T>, page?: CursorPage<T, K>): Promise<CursorResult<RelatedRow<T, W, K>>> {
    return this.#page(page, (repo, keyed) => repo.cursor(filter, keyed))
  }

  /** There is no JSON of related rows: they are read by a second statement, and joined as values. @throws UsageError at each call */
  json (): never {
    throw new UsageError('json() has no related rows: read them with with() and its own methods, and let the schema of the route write them')
  }

  // These three methods give rows their type. The code below works without it.

  #one<Options extends Columns, Result> (
    options: Options | undefined, read: (repo: Reading<T>, keyed: Options | undefined) => Promise<unknown>
  ): Promise<Result> {
    const rows = this.#read(options, async (keyed) => [await read(this.#context.repo, keyed)].filter((row) => row !== undefined))
    return handled(rows.then(([row]) => row as Result))
  }

  #many<Options extends Columns, Result> (
    options: Options | undefined, read: (repo: Reading<T>, keyed: Options | undefined) => Promise<unknown>
  ): Promise<Result> {
    return handled(this.#read(options, async (keyed) => await read(this.#context.repo, keyed) as unknown[]) as Promise<Result>)
  }

  #page<Options extends Columns, Result> (
    options: Options | undefined, read: (repo: Reading<T>, keyed: Options | undefined) => Promise<{ items: unknown[] }>
  ): Promise<Result> {
    const related = async (): Promise<unknown> => {
      let page = {}
      const items = await this.#read(options, async (keyed) => {
        const found = await read(this.#context.repo, keyed)
        page = found
        return found.items
      })
      return { ...page, items }
    }
    return handled(related() as Promise<Result>)
  }

  /** Reads the primary keys with the wanted columns, and removes them again if they were not wanted. */
  async #read<Options extends Columns> (options: Options | undefined, read: (keyed: Options | undefined) => Promise<unknown[]>): Promise<AnyRow[]> {
    const { session, statements } = this.#context
    const keys = statements.primaryKey.map(({ key }) => key)
    const columns = Array.isArray(options?.columns) && options.columns.length > 0 ? options.columns as readonly string[] : undefined
    const rows = await read(columns === undefined ? options : { ...options as Options, columns: [...columns, ...keys] }) as AnyRow[]
    const { statement, nothing } = selectRelated(statements, rows, this.#context)
    if (rows.length === 0) return rows
    const result = await session.run<AnyRow>(statement)
    const related = new Map(result.rows.map((row) => [rowKey(row, keys), row]))
    const surplus = columns === undefined ? [] : keys.filter((key) => !columns.includes(key))
    return rows.map((row) => {
      // A row that was deleted between the two statements has no related rows.
      const whole = { ...row, ...related.get(rowKey(row, keys)) ?? nothing() }
      for (const key of surplus) delete whole[key]
      return whole
    })
  }
}

interface Columns {
  readonly columns?: readonly string[]
}

function rowKey (row: AnyRow, keys: readonly string[]): string {
  return keys.map((key) => JSON.stringify(String(row[key]))).join()
}
