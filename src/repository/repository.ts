import type { SQLWrapper } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { SoftDeleteKey } from '../model/columns.js'
import { handled } from '../handled.js'
import type { DrizzleQuery, StatementResult, StatementRunner } from '../session/statement.js'
import { RowAccess } from './row-access.js'
import type { TableStatements } from './statements.js'
import type { ColumnKey, Filter, FirstOptions, Key, ManyOptions, NewRow, Page, Row, RowChanges, RowOptions } from './types.js'
import type { Visibility } from './visibility.js'

/** What a repository is made of; only the package makes one. */
export interface RepositoryContext {
  readonly session: StatementRunner
  readonly statements: TableStatements
  readonly visibility: Visibility
}

/**
 * Reads and writes the rows of one table, in the session it was asked from.
 *
 * Every method rejects with a `ValidationError` for a column, value, filter or option that cannot be, before anything is sent.
 * Of a table with `softDelete()` it sees the rows that are not deleted.
 *
 * @example
 * ```ts
 * class UserRepository extends Repository<typeof users> {
 *   static table = users
 *   findByEmail (email: string) { return this.getBy({ email }) }
 * }
 * const user = await request.repo(UserRepository).findByEmail('ada@example.com')
 * ```
 */
export class Repository<T extends PgTable> {
  /** The Drizzle table, for SQL of one's own. */
  protected readonly table: T
  /** The session, or database, that runs the statements. */
  protected readonly session: StatementRunner
  readonly #context: RepositoryContext
  readonly #rows: RowAccess

  constructor (context: RepositoryContext) {
    this.table = context.statements.table as T // Repositories pairs each class with the statements of its own table
    this.session = context.session
    this.#context = context
    this.#rows = new RowAccess(context.statements, context.session, context.visibility)
  }

  /** The row with this primary key, or undefined. */
  get<K extends ColumnKey<T> = ColumnKey<T>> (id: Key<T>, options?: RowOptions<T, K>): Promise<Pick<Row<T>, K> | undefined> {
    return typed(this.#rows.get(id, options))
  }

  /**
   * The row with this primary key.
   * @throws NotFoundError when there is none.
   */
  getOrThrow<K extends ColumnKey<T> = ColumnKey<T>> (id: Key<T>, options?: RowOptions<T, K>): Promise<Pick<Row<T>, K>> {
    return typed(this.#rows.found('getOrThrow', this.#rows.get(id, options)))
  }

  /**
   * The one row that matches, or undefined.
   * @throws MultipleResultsError when two rows match.
   */
  getBy<K extends ColumnKey<T> = ColumnKey<T>> (filter: Filter<T>, options?: RowOptions<T, K>): Promise<Pick<Row<T>, K> | undefined> {
    return typed(this.#rows.getBy(filter, options))
  }

  /**
   * The one row that matches.
   * @throws NotFoundError when none does, MultipleResultsError when two do.
   */
  getByOrThrow<K extends ColumnKey<T> = ColumnKey<T>> (filter: Filter<T>, options?: RowOptions<T, K>): Promise<Pick<Row<T>, K>> {
    return typed(this.#rows.found('getByOrThrow', this.#rows.getBy(filter, options)))
  }

  /** The rows with these primary keys, in the order of the keys; keys without a row are left out. */
  getMany (ids: ReadonlyArray<Key<T>>): Promise<Array<Row<T>>> {
    return typed(this.#rows.getMany(ids))
  }

  /** A page of all rows. */
  getAll<K extends ColumnKey<T> = ColumnKey<T>> (page?: Page<T, K>): Promise<Array<Pick<Row<T>, K>>> {
    return typed(this.#rows.list('getAll', undefined, page))
  }

  /** A page of the rows that match. */
  filter<K extends ColumnKey<T> = ColumnKey<T>> (filter: Filter<T>, page?: Page<T, K>): Promise<Array<Pick<Row<T>, K>>> {
    return typed(this.#rows.list('filter', filter, page))
  }

  /** The first of the rows that match, in the order asked for, or undefined. */
  first<K extends ColumnKey<T> = ColumnKey<T>> (filter?: Filter<T>, options?: FirstOptions<T, K>): Promise<Pick<Row<T>, K> | undefined> {
    return typed(this.#rows.first(filter, options))
  }

  /** How many rows match. */
  count (filter?: Filter<T>): Promise<number> {
    return handled(this.#rows.count(filter))
  }

  /** Whether any row matches. */
  exists (filter?: Filter<T>): Promise<boolean> {
    return handled(this.#rows.exists(filter))
  }

  /** Inserts a row and resolves with it as stored. */
  create (values: NewRow<T>): Promise<Row<T>> {
    return typed(this.#rows.create(values))
  }

  /** Inserts any number of rows, all or none, and resolves with them as stored, in the order given. */
  createMany (rows: ReadonlyArray<NewRow<T>>): Promise<Array<Row<T>>> {
    return typed(this.#rows.createMany(rows))
  }

  /** Changes the row with this primary key: the row as stored, or undefined when there is none. Without values nothing is written. */
  update (id: Key<T>, values: RowChanges<T>): Promise<Row<T> | undefined> {
    return typed(this.#rows.update(id, values))
  }

  /**
   * Changes the row with this primary key and resolves with it as stored.
   * @throws NotFoundError when there is none.
   */
  updateOrThrow (id: Key<T>, values: RowChanges<T>): Promise<Row<T>> {
    return typed(this.#rows.found('updateOrThrow', this.#rows.update(id, values)))
  }

  /**
   * Changes the rows that match and resolves with their number.
   * @throws EmptyFilterError for a filter that is empty, unless `{ all: true }` says that every row is meant.
   */
  updateMany (filter: Filter<T>, values: RowChanges<T>, options?: ManyOptions): Promise<number> {
    return handled(this.#rows.updateMany(filter, values, options))
  }

  /** Deletes the row with this primary key for good: whether there was one. */
  delete (id: Key<T>): Promise<boolean> {
    return handled(this.#rows.delete(id))
  }

  /**
   * Deletes the row with this primary key for good and resolves with what it was.
   * @throws NotFoundError when there is none.
   */
  deleteOrThrow (id: Key<T>): Promise<Row<T>> {
    return typed(this.#rows.found('deleteOrThrow', this.#rows.take(id)))
  }

  /**
   * Deletes the rows that match for good and resolves with their number.
   * @throws EmptyFilterError for a filter that is empty, unless `{ all: true }` says that every row is meant.
   */
  deleteMany (filter: Filter<T>, options?: ManyOptions): Promise<number> {
    return handled(this.#rows.deleteMany(filter, options))
  }

  /** Marks the row with this primary key as deleted: the row, or undefined when there is none that lives. */
  softDelete (this: [SoftDeleteKey<T>] extends [never] ? never : this, id: Key<T>): Promise<Row<T> | undefined> {
    return typed(this.#rows.softDelete(id))
  }

  /** Takes the mark of deletion from the row with this primary key: the row, or undefined when there is none that is deleted. */
  restore (this: [SoftDeleteKey<T>] extends [never] ? never : this, id: Key<T>): Promise<Row<T> | undefined> {
    return typed(this.#rows.restore(id))
  }

  /** The same repository, seeing deleted rows as well. */
  withDeleted (): this {
    return this.#seeing('all')
  }

  /** The same repository, seeing nothing but deleted rows. */
  onlyDeleted (): this {
    return this.#seeing('deleted')
  }

  /** Runs a Drizzle query, which resolves with its own result, or an `sql` template, which resolves with `{ rows, rowCount, command }`. */
  execute<Result> (query: DrizzleQuery<Result>): Promise<Result>
  execute<R = Record<string, unknown>> (statement: SQLWrapper): Promise<StatementResult<R>>
  execute (statement: SQLWrapper): Promise<unknown> {
    return this.session.execute(statement)
  }

  #seeing (visibility: Visibility): this {
    const Class = this.constructor as new (context: RepositoryContext) => this // a subclass inherits the constructor
    return new Class({ ...this.#context, visibility })
  }
}

/** Rows are mapped by the table's columns, from which Drizzle derives their type as well: here the two meet. */
function typed<Result> (rows: Promise<unknown>): Promise<Result> {
  return handled(rows as Promise<Result>)
}
