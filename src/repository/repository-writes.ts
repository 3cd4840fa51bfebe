import type { PgTable } from 'drizzle-orm/pg-core'
import { handled } from '../runtime/promises.js'
import { found } from './read/reads.js'
import { RepositoryReads } from './read/repository-reads.js'
import { typed } from './table/answers.js'
import { getOrCreate } from './upsert/get-or-create.js'
import { upsertMany, upsertOne } from './upsert/upsert.js'
import { markDeleted, markLive, purge } from './write/delete.js'
import { updateOne } from './write/update.js'
import { createRow, createRows, deleteByKey, deleteMatching, takeByKey, updateMatching } from './writes.js'
import type { SoftDeleteKey } from '../model/columns.js'
import type { ColumnKey, Filter, FilterObject, Key, ManyOptions, NewRow, Others, PurgeOptions, Row, RowChanges, UpdateOptions } from './types/filters.js'
import type { Impossible } from './types/impossible.js'
import type { Defaults, UpsertOptions, Upserted } from './types/write-options.js'
import type { Affected, Deletion } from './write/lifecycle-hooks.js'
import type { WriteContext } from './write/write-context.js'

/** The `this` of methods that need `softDelete()`: any, or for a table without it one that no value is. */
type SoftDeletable<T extends PgTable> = [SoftDeleteKey<T>] extends [never] ? Impossible<'add ...softDelete() to this table'> : unknown

/** The methods of a repository that write, and the hooks of a class. */
export class RepositoryWrites<T extends PgTable, W extends ColumnKey<T>, O extends Others> extends RepositoryReads<T> {
  readonly #context: WriteContext

  protected constructor (context: WriteContext) {
    super(context)
    this.#context = context
  }

  /** Inserts a row and resolves with it as stored. */
  create (values: NewRow<T, W, O>): Promise<Row<T>> {
    return typed(createRow(this.#context, values))
  }

  /** Inserts any number of rows, all or none, and resolves with them as stored, in the order given. Leave the rows as they are until then. */
  createMany (rows: ReadonlyArray<NewRow<T, W, O>>): Promise<Array<Row<T>>> {
    return typed(createRows(this.#context, rows))
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
    return typed(upsertOne(this.#context, values, options))
  }

  /**
   * As {@link RepositoryWrites.upsert} for each of the rows, one after the other and all or none, however many: the results in the order
   * given. Of two rows with the same key the second changes what the first has made; each result is the row as it was then.
   *
   * Two calls at once that have the same rows in different orders can be a `DeadlockError`, as with any locks: sort them.
   * Leave the rows as they are until it resolves; the table's functions for defaults may be called twice for a row.
   */
  upsertMany (rows: ReadonlyArray<NewRow<T, W, O>>, options?: UpsertOptions<T, W, O>): Promise<Array<Upserted<T>>> {
    return typed(upsertMany(this.#context, rows, options))
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
    return typed(getOrCreate(this.#context, filter, defaults))
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
    return typed(updateOne(this.#context, id, { values, options }))
  }

  /**
   * Changes the row with this primary key and resolves with it as stored; for the rest as {@link RepositoryWrites.update}.
   * @throws NotFoundError when there is none, StaleRowError when it is there with another version than the one expected.
   */
  updateOrThrow (id: Key<T>, values: RowChanges<T, W, O>, options?: UpdateOptions<T>): Promise<Row<T>> {
    return typed(found(this.#context, 'updateOrThrow', updateOne(this.#context, id, { values, options })))
  }

  /**
   * Changes the rows that match and resolves with their number.
   * @throws EmptyFilterError for a filter that is empty, unless `{ all: true }` says that every row is meant.
   */
  updateMany (filter: Filter<T>, values: RowChanges<T, W, O>, options?: ManyOptions): Promise<number> {
    return handled(updateMatching(this.#context, values, { filter, options }))
  }

  /** Deletes the row with this primary key for good: whether there was one. */
  delete (id: Key<T>): Promise<boolean> {
    return handled(deleteByKey(this.#context, id))
  }

  /**
   * Deletes the row with this primary key for good and resolves with what it was.
   * @throws NotFoundError when there is none.
   */
  deleteOrThrow (id: Key<T>): Promise<Row<T>> {
    return typed(found(this.#context, 'deleteOrThrow', takeByKey(this.#context, id)))
  }

  /**
   * Deletes the rows that match for good and resolves with their number.
   * @throws EmptyFilterError for a filter that is empty, unless `{ all: true }` says that every row is meant.
   */
  deleteMany (filter: Filter<T>, options?: ManyOptions): Promise<number> {
    return handled(deleteMatching(this.#context, { filter, options }))
  }

  /** Marks the row with this primary key as deleted, by the clock of the database: the row, or undefined when there is none that lives. */
  softDelete (this: SoftDeletable<T>, id: Key<T>): Promise<Row<T> | undefined>
  softDelete (id: Key<T>): Promise<Row<T> | undefined> {
    return typed(markDeleted(this.#context, id))
  }

  /**
   * Takes the mark of deletion from the row with this primary key: the row, or undefined when there is none that is deleted.
   * @throws UniqueViolationError when a row that lives has what `uniqueLive()` allows once.
   */
  restore (this: SoftDeletable<T>, id: Key<T>): Promise<Row<T> | undefined>
  restore (id: Key<T>): Promise<Row<T> | undefined> {
    return typed(markLive(this.#context, id))
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
  purge (this: SoftDeletable<T>, options: PurgeOptions): Promise<number>
  purge (options: PurgeOptions): Promise<number> {
    return handled(purge(this.#context, options))
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
}
