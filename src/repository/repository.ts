import type { SQLWrapper } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { handled } from '../runtime/promises.js'
import { UsageError } from '../errors/errors.js'
import type { SoftDeleteKey } from '../model/columns.js'
import type { DrizzleQuery, StatementResult } from '../statement/statement.js'
import type { CursorPage, CursorResult, NumberedPage, Paginated, StreamOptions } from './types/read-options.js'
import type { Affected, Deletion, HookNames, LifecycleHooks } from './write/lifecycle-hooks.js'
import { RelatedRepository } from './related/related-repository.js'
import type { Relations } from './types/related-rows.js'
import { RowAccess } from './reads.js'
import { RowWrites } from './writes.js'
import { declare, declared } from './repository-source.js'
import type { ClassOptions, RepositoryClass, RepositoryOf, RepositorySession, RepositorySource } from './repository-source.js'
import { TableStatements } from './table/table-statements.js'
import type { Defaults, UpsertOptions, Upserted } from './types/write-options.js'
import type { ColumnKey, Filter, FilterObject, FirstOptions, Key, ManyOptions, NewRow, Others, Page, PurgeOptions, Row, RowChanges, RowOptions, UpdateOptions, WritableKey, WritableOptions } from './types/filters.js'
import { visible } from './filter/visibility.js'
import type { Visibility } from './filter/visibility.js'
import { parseWritable } from './write/writable-columns.js'
import type { Writable } from './write/writable-columns.js'
import type { WritableRepository } from './writable-repository.js'

/** What a repository is made of; only the package makes one. */
export interface RepositoryContext {
  readonly session: RepositorySession
  readonly statements: TableStatements
  readonly visibility: Visibility
  readonly hooks: HookNames | undefined
  readonly writable: Writable | undefined
}

const madeByHand = 'A repository is not made by "new": request.repo(table), session.repo(table) and database.repo(table) give it'

/**
 * Reads and writes the rows of one table, in the session it was asked from.
 *
 * Every method rejects with a `ValidationError` for a column, value, filter or page that cannot be, and with a `UsageError`
 * for an option that there is none, before anything is sent.
 * Of a table with `softDelete()` it sees the rows that are not deleted.
 *
 * @example
 * ```ts
 * class UserRepository extends Repository.of(users) {
 *   findByEmail (email: string) { return this.getBy({ email }) }
 * }
 * const user = await request.repo(UserRepository).findByEmail('ada@example.com')
 * ```
 *
 * A class may have hooks, `beforeCreate` and the five others. `W` are the columns that callers may write.
 */
export class Repository<T extends PgTable, W extends ColumnKey<T> = WritableKey<T>, O extends Others = 'refuse'> {
  /** The Drizzle table, for SQL of one's own. */
  protected readonly table: T
  /** The session, or database, that runs the statements. */
  protected readonly session: RepositorySession
  readonly #context: RepositoryContext
  readonly #rows: RowAccess
  readonly #writes: RowWrites

  /**
   * The class of the repositories of a table, for a class of one's own to extend: `request.repo()` takes either.
   *
   * With `writable` callers may write those columns only, by their types and at run time; hooks and `this.unrestricted()` may write all.
   *
   * @throws UsageError for a view, what is no table, and an option that there is none; for a column that cannot be written, when
   * the class is first asked for.
   * @example
   * ```ts
   * class UserRepository extends Repository.of(users, { writable: ['name', 'email'] }) {
   *   findByEmail (email: string) { return this.getBy({ email }) }
   * }
   * ```
   */
  static of<T extends PgTable, const W extends WritableKey<T> = WritableKey<T>> (table: T, options: ClassOptions<W> = {}): RepositoryClass<Repository<T, W>> {
    const declaration = declare(table, options)
    return class extends Repository<T, W> {
      static readonly [declared] = declaration
    }
  }

  /** @throws UsageError, as only the package makes a repository: it has a session. */
  constructor (context: RepositoryContext) {
    // What JavaScript, or a cast, gives instead.
    if (!((context as Partial<RepositoryContext> | undefined)?.statements instanceof TableStatements)) throw new UsageError(madeByHand)
    this.table = context.statements.table as T // Repositories pairs each class with the statements of its own table
    this.session = context.session
    this.#context = context
    const { session, statements, visibility, writable, hooks } = context
    const seen = visible(statements.softDelete, visibility)
    this.#rows = new RowAccess(statements, session, seen)
    this.#writes = new RowWrites({
      table: statements,
      session,
      seen,
      writable,
      hooks: hooks && { names: hooks, in: (scope) => this.#as({ session: scope, writable: undefined }) as unknown as LifecycleHooks } // protected
    })
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

  /** A page of all rows: 100 unless it has a `limit`. The log says, once for a route, where that was less than there are. */
  getAll<K extends ColumnKey<T> = ColumnKey<T>> (page?: Page<T, K>): Promise<Array<Pick<Row<T>, K>>> {
    return typed(this.#rows.list('getAll', undefined, page))
  }

  /** A page of the rows that match: 100 unless it has a `limit`, as {@link Repository.getAll}. */
  filter<K extends ColumnKey<T> = ColumnKey<T>> (filter: Filter<T>, page?: Page<T, K>): Promise<Array<Pick<Row<T>, K>>> {
    return typed(this.#rows.list('filter', filter, page))
  }

  /** The first of the rows that match, in the order asked for, or undefined. */
  first<K extends ColumnKey<T> = ColumnKey<T>> (filter?: Filter<T>, options?: FirstOptions<T, K>): Promise<Pick<Row<T>, K> | undefined> {
    return typed(this.#rows.first(filter, options))
  }

  /**
   * A page by its number, and how many rows match in all: two statements, given together. For long lists {@link Repository.cursor} is faster.
   *
   * @example
   * ```ts
   * const { items, total, pages } = await repo.paginate({ active: true }, { page: 2, limit: 20, orderBy: { name: 'asc' } })
   * ```
   */
  paginate<K extends ColumnKey<T> = ColumnKey<T>> (filter?: Filter<T>, page?: NumberedPage<T, K>): Promise<Paginated<Pick<Row<T>, K>>> {
    return typed(this.#rows.paginate(filter, page))
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
  cursor<K extends ColumnKey<T> = ColumnKey<T>> (filter?: Filter<T>, page?: CursorPage<T, K>): Promise<CursorResult<Pick<Row<T>, K>>> {
    return typed(this.#rows.cursor(filter, page))
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
  stream<K extends ColumnKey<T> = ColumnKey<T>> (filter?: Filter<T>, options?: StreamOptions<T, K>): AsyncGenerator<Pick<Row<T>, K>, void, undefined> {
    return this.#rows.stream(filter, options) as AsyncGenerator<never, void, undefined> // as in typed() below
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
  create (values: NewRow<T, W, O>): Promise<Row<T>> {
    return typed(this.#writes.create(values))
  }

  /** Inserts any number of rows, all or none, and resolves with them as stored, in the order given. Leave the rows as they are until then. */
  createMany (rows: ReadonlyArray<NewRow<T, W, O>>): Promise<Array<Row<T>>> {
    return typed(this.#writes.createMany(rows))
  }

  /**
   * Inserts a row, or changes the one that has the same key: the row as stored, and whether it was made. However many do this with
   * the same key at the same time, there is one row and no error.
   *
   * Every column given but the target is written into a row that is there, `$onUpdate` and the version with it. Under REPEATABLE READ
   * and SERIALIZABLE a row of somebody else's that came in meanwhile is a `SerializationFailureError`, for `retries`.
   *
   * @throws UsageError for a target that is no unique key; UniqueViolationError where a row that this repository does not see has
   * the key, a deleted one for example, or another unique key is taken.
   * @example
   * ```ts
   * const { row, created } = await repo.upsert({ email: 'ada@example.com', name: 'Ada' }, { target: 'email' })
   * await repo.upsert({ path: '/', views: 1 }, { update: { views: increment(1) } })
   * ```
   */
  upsert (values: NewRow<T, W, O>, options?: UpsertOptions<T, W, O>): Promise<Upserted<T>> {
    return typed(this.#writes.upsert(values, options))
  }

  /**
   * As {@link Repository.upsert} for each of the rows, one after the other and all or none, however many: the results in the order
   * given. Of two rows with the same key the second changes what the first has made; each result is the row as it was then.
   *
   * Two calls at once that have the same rows in different orders can be a `DeadlockError`, as with any locks: sort them.
   * Leave the rows as they are until it resolves; the table's functions for defaults may be called twice for a row.
   */
  upsertMany (rows: ReadonlyArray<NewRow<T, W, O>>, options?: UpsertOptions<T, W, O>): Promise<Array<Upserted<T>>> {
    return typed(this.#writes.upsertMany(rows, options))
  }

  /**
   * The row that matches, or a new one, made of what the filter says that columns are, and of the defaults: the row, and whether it
   * was made. However many ask for the same key at the same time, there is one row and no error, and the transaction around stays whole.
   *
   * The filter names every column of a unique key with its value. Under REPEATABLE READ and SERIALIZABLE a row of somebody else's that
   * came in meanwhile is a `SerializationFailureError`, for `retries`.
   *
   * @throws ValidationError for a filter without a unique key; UniqueViolationError where a row with that key is there and is not what
   * the filter wants, or is not seen, as a deleted one.
   * @example
   * ```ts
   * const { row: tag, created } = await repo.getOrCreate({ name: 'fastify' }, { colour: 'black' })
   * ```
   */
  getOrCreate<const F extends FilterObject<T>> (filter: F, ...[defaults]: Defaults<F, NewRow<T, W, O>>): Promise<Upserted<T>> {
    return typed(this.#writes.getOrCreate(filter, defaults))
  }

  /**
   * Changes the row with this primary key: the row as stored, or undefined when there is none. Without values nothing is written.
   *
   * A value may be `increment(1)` or SQL, which PostgreSQL computes from the row. With `expectedVersion`, on a table with
   * `version()`, the row is changed only if nobody else has changed it since that version was read.
   *
   * @throws StaleRowError when the row is there with another version.
   * @example
   * ```ts
   * const note = await repo.getOrThrow(id)
   * await repo.update(id, { title: 'New', edits: increment(1) }, { expectedVersion: note.version })
   * ```
   */
  update (id: Key<T>, values: RowChanges<T, W, O>, options?: UpdateOptions<T>): Promise<Row<T> | undefined> {
    return typed(this.#writes.update(id, values, options))
  }

  /**
   * Changes the row with this primary key and resolves with it as stored; for the rest as {@link Repository.update}.
   * @throws NotFoundError when there is none, StaleRowError when it is there with another version than the one expected.
   */
  updateOrThrow (id: Key<T>, values: RowChanges<T, W, O>, options?: UpdateOptions<T>): Promise<Row<T>> {
    return typed(this.#rows.found('updateOrThrow', this.#writes.update(id, values, options)))
  }

  /**
   * Changes the rows that match and resolves with their number.
   * @throws EmptyFilterError for a filter that is empty, unless `{ all: true }` says that every row is meant.
   */
  updateMany (filter: Filter<T>, values: RowChanges<T, W, O>, options?: ManyOptions): Promise<number> {
    return handled(this.#writes.updateMany(filter, values, options))
  }

  /** Deletes the row with this primary key for good: whether there was one. */
  delete (id: Key<T>): Promise<boolean> {
    return handled(this.#writes.delete(id))
  }

  /**
   * Deletes the row with this primary key for good and resolves with what it was.
   * @throws NotFoundError when there is none.
   */
  deleteOrThrow (id: Key<T>): Promise<Row<T>> {
    return typed(this.#rows.found('deleteOrThrow', this.#writes.take(id)))
  }

  /**
   * Deletes the rows that match for good and resolves with their number.
   * @throws EmptyFilterError for a filter that is empty, unless `{ all: true }` says that every row is meant.
   */
  deleteMany (filter: Filter<T>, options?: ManyOptions): Promise<number> {
    return handled(this.#writes.deleteMany(filter, options))
  }

  /** Marks the row with this primary key as deleted, by the clock of the database: the row, or undefined when there is none that lives. */
  softDelete (this: [SoftDeleteKey<T>] extends [never] ? never : this, id: Key<T>): Promise<Row<T> | undefined> {
    return typed(this.#writes.softDelete(id))
  }

  /**
   * Takes the mark of deletion from the row with this primary key: the row, or undefined when there is none that is deleted.
   * @throws UniqueViolationError when a row that lives has what `uniqueLive()` allows once.
   */
  restore (this: [SoftDeleteKey<T>] extends [never] ? never : this, id: Key<T>): Promise<Row<T> | undefined> {
    return typed(this.#writes.restore(id))
  }

  /**
   * Deletes for good the rows that were deleted before a time, or longer ago than a number of days, and resolves with their number.
   * What else the repository sees makes no difference.
   *
   * @example
   * ```ts
   * await repo.purge({ olderThan: 30 })
   * ```
   */
  purge (this: [SoftDeleteKey<T>] extends [never] ? never : this, options: PurgeOptions): Promise<number> {
    return handled(this.#writes.purge(options))
  }

  /** The same repository, seeing deleted rows as well. */
  withDeleted (): this {
    return this.#as({ visibility: 'all' })
  }

  /** The same repository, seeing nothing but deleted rows. */
  onlyDeleted (): this {
    return this.#as({ visibility: 'deleted' })
  }

  /**
   * The same repository, which writes nothing but these columns for its callers: any other key is a `ValidationError`, or dropped.
   * Hooks of the class may still write all. It can be made less, never more.
   *
   * @throws UsageError, at once, for what is no column, cannot be written, or was not writable before.
   * @example
   * ```ts
   * await request.repo(users).writable(['name', 'email']).update(id, request.body)
   * ```
   */
  writable<const K extends W, D extends Others = 'refuse'> (keys: readonly K[], options?: WritableOptions<D>): WritableRepository<this, T, K, D> {
    const { statements, writable } = this.#context
    // Its type leaves out what may not be written; it is the same class.
    return this.#as({ writable: parseWritable({ keys, options }, statements, writable) }) as unknown as WritableRepository<this, T, K, D>
  }

  /** The same repository without what {@link Repository.of} or {@link Repository.writable} say of it: for methods of the class, which know what they write. */
  protected unrestricted (): Repository<T> {
    return this.#as({ writable: undefined }) as unknown as Repository<T> // as above
  }

  /**
   * The same rows, each with what is related to it: for reading alone. Related rows that were deleted are hidden as they are
   * elsewhere: in a relation to one, such a row is null, whatever its type says. The relations are those of the schema that was
   * given to the database; the types come from `Register`.
   *
   * @throws UsageError, from the methods, for a relation that is not in the schema.
   * @example
   * ```ts
   * const user = await request.repo(users).with({ posts: { limit: 10, with: { comments: true } } }).getOrThrow(1)
   * ```
   */
  with<const W extends Relations<T>> (relations: W): RelatedRepository<T, W> {
    const { session, statements, visibility } = this.#context
    return new RelatedRepository({ repo: this, session, statements, relations, seesDeleted: visibility === 'all' || visibility === 'deleted' })
  }

  /** Another repository in the same session: of a table, or an instance of a class. */
  protected repo<Source extends RepositorySource> (source: Source): RepositoryOf<Source> {
    return this.session.repo(source)
  }

  /** Runs a Drizzle query, which resolves with its own result, or an `sql` template, which resolves with `{ rows, rowCount, command }`. */
  execute<Result> (query: DrizzleQuery<Result>): Promise<Result>
  execute<R = Record<string, unknown>> (statement: SQLWrapper): Promise<StatementResult<R>>
  execute (statement: SQLWrapper): Promise<unknown> {
    return this.session.execute(statement)
  }

  /**
   * Called for each new row before it is written, by `create` and every method that makes rows: returns other values, or nothing.
   * Whatever can be written may be returned. What it throws undoes the whole write; so it is with every hook.
   */
  protected beforeCreate (_values: NewRow<T>): NewRow<T> | void | Promise<NewRow<T> | void> {}

  /** Called once by `update`, `updateMany` and `restore`, unless there is nothing to write: returns other values, or nothing. */
  protected beforeUpdate (_values: RowChanges<T>, _which: Affected<T>): RowChanges<T> | void | Promise<RowChanges<T> | void> {}

  /** Called once by `delete`, `deleteMany`, `softDelete` and `purge`, before anything is deleted. */
  protected beforeDelete (_which: Affected<T>, _deletion: Deletion): void | Promise<void> {}

  /** Called with each row that was created, as stored, in the transaction. */
  protected afterCreate (_row: Row<T>): void | Promise<void> {}

  /** Called with each row that was changed or restored, as stored, in the transaction. */
  protected afterUpdate (_row: Row<T>): void | Promise<void> {}

  /** Called with each row that was deleted, as it was, or as it is marked now, in the transaction. */
  protected afterDelete (_row: Row<T>, _deletion: Deletion): void | Promise<void> {}

  #as (change: Partial<RepositoryContext>): this {
    const Class = this.constructor as new (context: RepositoryContext) => this // a subclass inherits the constructor
    return new Class({ ...this.#context, ...change })
  }
}

/** Rows are mapped by the table's columns, from which Drizzle derives their type as well: here the two meet. */
function typed<Result> (rows: Promise<unknown>): Promise<Result> {
  return handled(rows as Promise<Result>)
}
