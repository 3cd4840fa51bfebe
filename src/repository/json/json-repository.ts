import { UsageError } from '../../errors/errors.js'
import { handled } from '../../runtime/promises.js'
import { isPlainObject } from '../../runtime/option-checks.js'
import { found, firstRow, getByFilter, getByKey, getByKeys, listRows, pageByCursor, paginateRows } from '../read/reads.js'
import { RepositoryReads } from '../read/repository-reads.js'
import { TableStatements } from '../table/table-statements.js'
import { JsonText } from './json-text.js'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { ReadContext } from '../read/read-context.js'
import type { ReadMethod } from '../related/related-repository.js'
import type { Filter, FirstOptions, Key, Page, RowOptions } from '../types/filters.js'
import type { WithoutColumns } from '../types/json-options.js'
import type { CursorPage, NumberedPage } from '../types/read-options.js'

/** A read, whose statements make texts of rows, and what becomes of these. */
interface Work<Rows, Result> {
  readonly read: (context: ReadContext) => Promise<unknown>
  readonly write: (rows: Rows) => Result
}

/**
 * Reads rows like their repository, as JSON: {@link Repository.json}. A row, a list and a page have the same JSON as the rows of the
 * repository in a reply with that schema. The properties of a page are in the order of its type, whatever a schema says.
 */
export class JsonRepository<T extends PgTable> {
  readonly #repo: RepositoryReads<T>
  readonly #context: ReadContext

  /** @throws UsageError unless a repository calls it. */
  constructor (repo: RepositoryReads<T>, context: ReadContext) {
    // JavaScript, or a cast, may pass anything.
    if (!((context as Partial<ReadContext> | undefined)?.table instanceof TableStatements)) throw new UsageError('Rows are read as JSON through a repository: repo.json(schema)')
    this.#repo = repo
    this.#context = context
  }

  /** As {@link RepositoryReads.get}. */
  get (id: Key<T>, options?: WithoutColumns<RowOptions<T>>): Promise<JsonText | undefined> {
    return this.#read('get', options, { read: (context) => getByKey(context, id, options), write: rowIfAny })
  }

  /** As {@link RepositoryReads.getOrThrow}. @throws NotFoundError if there is none */
  getOrThrow (id: Key<T>, options?: WithoutColumns<RowOptions<T>>): Promise<JsonText> {
    return this.#read('getOrThrow', options, { read: (context) => found(context, 'getOrThrow', getByKey(context, id, options)), write: rowJson })
  }

  /** As {@link RepositoryReads.getBy}. @throws MultipleResultsError if several rows match */
  getBy (filter: Filter<T>, options?: WithoutColumns<RowOptions<T>>): Promise<JsonText | undefined> {
    return this.#read('getBy', options, { read: (context) => getByFilter(context, filter, options), write: rowIfAny })
  }

  /** As {@link RepositoryReads.getByOrThrow}. @throws NotFoundError if none matches, MultipleResultsError if several do */
  getByOrThrow (filter: Filter<T>, options?: WithoutColumns<RowOptions<T>>): Promise<JsonText> {
    return this.#read('getByOrThrow', options, { read: (context) => found(context, 'getByOrThrow', getByFilter(context, filter, options)), write: rowJson })
  }

  /** As {@link RepositoryReads.getMany}. */
  getMany (ids: ReadonlyArray<Key<T>>): Promise<JsonText> {
    return this.#read('getMany', undefined, { read: (context) => getByKeys(context, ids), write: listJson })
  }

  /** As {@link RepositoryReads.getAll}. */
  getAll (page?: WithoutColumns<Page<T>>): Promise<JsonText> {
    return this.#read('getAll', page, { read: (context) => listRows(context, { operation: 'getAll', options: page }), write: listJson })
  }

  /** As {@link RepositoryReads.filter}. */
  filter (filter: Filter<T>, page?: WithoutColumns<Page<T>>): Promise<JsonText> {
    return this.#read('filter', page, { read: (context) => listRows(context, { operation: 'filter', filter, options: page }), write: listJson })
  }

  /** As {@link RepositoryReads.first}. */
  first (filter?: Filter<T>, options?: WithoutColumns<FirstOptions<T>>): Promise<JsonText | undefined> {
    return this.#read('first', options, { read: (context) => firstRow(context, filter, options), write: rowIfAny })
  }

  /** As {@link RepositoryReads.paginate}. */
  paginate (filter?: Filter<T>, page?: WithoutColumns<NumberedPage<T>>): Promise<JsonText> {
    return this.#read('paginate', page, { read: (context) => paginateRows(context, filter, page), write: pageJson })
  }

  /** As {@link RepositoryReads.cursor}. @throws ValidationError for a cursor of another list */
  cursor (filter?: Filter<T>, page?: WithoutColumns<CursorPage<T>>): Promise<JsonText> {
    return this.#read('cursor', page, { read: (context) => pageByCursor(context, filter, page), write: pageJson })
  }

  #read<Rows, Result> (method: ReadMethod, options: unknown, work: Work<Rows, Result>): Promise<Result> {
    return handled(this.#run(method, options, work))
  }

  async #run<Rows, Result> (method: ReadMethod, options: unknown, { read, write }: Work<Rows, Result>): Promise<Result> {
    const { [method]: own } = this.#repo
    if (own !== RepositoryReads.prototype[method]) {
      throw new UsageError(`The class of this repository has a method "${method}" of its own, which json() would pass by: call that, and let the schema of the route write its rows`)
    }
    if (isPlainObject(options) && options['columns'] !== undefined) throw new UsageError('"columns" is not an option behind json(): its schema names the columns')
    return write(await read(this.#context) as Rows) // texts, by the statements of the context
  }
}

function rowJson (row: string): JsonText {
  return new JsonText(row)
}

function rowIfAny (row: string | undefined): JsonText | undefined {
  return row === undefined ? undefined : new JsonText(row)
}

function listJson (rows: readonly string[]): JsonText {
  return new JsonText(`[${rows.join()}]`)
}

function pageJson ({ items, ...others }: { readonly items: readonly string[] }): JsonText {
  return new JsonText(`{"items":[${items.join()}],${JSON.stringify(others).slice(1)}`)
}
