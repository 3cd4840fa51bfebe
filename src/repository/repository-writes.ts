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
import type { SoftDeleteKey } from '../model/own-columns.js'
import type { ColumnKey, CreateManyOptions, Filter, FilterObject, Key, ManyOptions, NewRow, Others, PurgeOptions, Row, RowChanges, UpdateOptions } from './types/filters.js'
import type { Impossible } from './types/impossible.js'
import type { Defaults, UpsertOptions, Upserted } from './types/write-options.js'
import type { Affected, Deletion } from './write/lifecycle-hooks.js'
import type { WriteContext } from './write/write-context.js'

/** The `this` of methods that need `softDelete()`: `unknown`, or for a table without that helper a type that no value has. */
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

  /**
   * Inserts any number of rows, all or none, and resolves with them as stored, in the given order. Do not change the array or its
   * rows until then.
   *
   * With `{ returning: false }` it resolves with the number of rows: PostgreSQL sends none back, unless the class has a hook
   * `afterCreate`. Generated keys and defaults stay unknown then, and row-level security asks no policy for SELECT about the new rows.
   *
   * @example
   * ```ts
   * const users = await repo.createMany([{ email: 'ada@example.com' }, { email: 'grace@example.com' }])
   * const written: number = await repo.createMany(people, { returning: false })
   * ```
   */
  createMany (rows: ReadonlyArray<NewRow<T, W, O>>, options: CreateManyOptions & { readonly returning: false }): Promise<number>
  createMany (rows: ReadonlyArray<NewRow<T, W, O>>, options?: CreateManyOptions & { readonly returning?: true }): Promise<Array<Row<T>>>
  createMany (rows: ReadonlyArray<NewRow<T, W, O>>, options?: CreateManyOptions): Promise<never> {
    return typed(createRows(this.#context, rows, options))
  }

  /**
   * Inserts a row, or changes the existing row with the same key. Resolves with the row as stored and whether it was created.
   * Concurrent calls with the same key make one row and no error.
   *
   * Every given column except the target is written to an existing row, together with `$onUpdate` and the version. Under REPEATABLE
   * READ and SERIALIZABLE, a row that another transaction inserted meanwhile is a `SerializationFailureError`, which `retries` handles.
   *
   * @throws UsageError for a target that is not a unique key; UniqueViolationError if a row that this repository does not see, such
   * as a soft-deleted one, has the key, or if another unique key is taken.
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
   * Upserts any number of rows like {@link RepositoryWrites.upsert}, in order, all or none. Resolves with the results in the given
   * order. If two rows have the same key, the second changes the row of the first; each result is the row as of its own step.
   *
   * Concurrent calls with the same rows in different orders can fail with a `DeadlockError`, as with any locks: sort the rows.
   * Do not change the array or its rows until it resolves. The table's default functions may be called twice for a row.
   */
  upsertMany (rows: ReadonlyArray<NewRow<T, W, O>>, options?: UpsertOptions<T, W, O>): Promise<Array<Upserted<T>>> {
    return typed(upsertMany(this.#context, rows, options))
  }

  /**
   * Reads the row that matches, or creates one from the filter's values and the defaults. Resolves with the row and whether it was
   * created. Concurrent calls with the same key make one row and no error, and the surrounding transaction stays usable.
   *
   * The filter names every column of a unique key with its value. Under REPEATABLE READ and SERIALIZABLE, a row that another
   * transaction inserted meanwhile is a `SerializationFailureError`, which `retries` handles.
   *
   * @throws ValidationError for a filter without a unique key; UniqueViolationError if a row with that key exists and does not match
   * the filter, or is hidden from this repository, such as a soft-deleted one.
   * @example
   * ```ts
   * const { row: tag, created } = await repo.getOrCreate({ name: 'fastify' }, { colour: 'black' })
   * ```
   */
  getOrCreate<const F extends FilterObject<T>> (filter: F, ...[defaults]: Defaults<F, NewRow<T, W, O>>): Promise<Upserted<T>> {
    return typed(getOrCreate(this.#context, filter, defaults))
  }

  /**
   * Changes the row with this primary key. Resolves with the row as stored, or undefined if there is none. Without values, nothing is
   * written.
   *
   * A value may be `increment(1)` or SQL, which PostgreSQL computes from the row. With `expectedVersion`, on a table with
   * `version()`, the row is changed only if it has not been changed since that version was read.
   *
   * @throws StaleRowError if the row has another version.
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
   * Changes the row with this primary key and resolves with it as stored; otherwise like {@link RepositoryWrites.update}.
   * @throws NotFoundError if there is none, StaleRowError if it has another version than the expected one.
   */
  updateOrThrow (id: Key<T>, values: RowChanges<T, W, O>, options?: UpdateOptions<T>): Promise<Row<T>> {
    return typed(found(this.#context, 'updateOrThrow', updateOne(this.#context, id, { values, options })))
  }

  /**
   * Changes the rows that match and resolves with their number.
   * @throws EmptyFilterError for an empty filter, unless `{ all: true }` confirms that every row is meant.
   */
  updateMany (filter: Filter<T>, values: RowChanges<T, W, O>, options?: ManyOptions): Promise<number> {
    return handled(updateMatching(this.#context, values, { filter, options }))
  }

  /** Permanently deletes the row with this primary key. Resolves with whether there was one. */
  delete (id: Key<T>): Promise<boolean> {
    return handled(deleteByKey(this.#context, id))
  }

  /**
   * Permanently deletes the row with this primary key and resolves with the deleted row.
   * @throws NotFoundError if there is none.
   */
  deleteOrThrow (id: Key<T>): Promise<Row<T>> {
    return typed(found(this.#context, 'deleteOrThrow', takeByKey(this.#context, id)))
  }

  /**
   * Permanently deletes the rows that match and resolves with their number.
   * @throws EmptyFilterError for an empty filter, unless `{ all: true }` confirms that every row is meant.
   */
  deleteMany (filter: Filter<T>, options?: ManyOptions): Promise<number> {
    return handled(deleteMatching(this.#context, { filter, options }))
  }

  /** Marks the row with this primary key as deleted, by the database's clock. Resolves with the row, or undefined if there is no live row. */
  softDelete (this: SoftDeletable<T>, id: Key<T>): Promise<Row<T> | undefined>
  softDelete (id: Key<T>): Promise<Row<T> | undefined> {
    return typed(markDeleted(this.#context, id))
  }

  /**
   * Marks the row with this primary key as deleted and resolves with it, otherwise like {@link RepositoryWrites.softDelete}.
   * @throws NotFoundError if there is no live row.
   */
  softDeleteOrThrow (this: SoftDeletable<T>, id: Key<T>): Promise<Row<T>>
  softDeleteOrThrow (id: Key<T>): Promise<Row<T>> {
    return typed(found(this.#context, 'softDeleteOrThrow', markDeleted(this.#context, id)))
  }

  /**
   * Restores the soft-deleted row with this primary key. Resolves with the row, or undefined if there is no deleted row.
   * @throws UniqueViolationError if a row that is not deleted has the same values of a `uniqueLive()` key.
   */
  restore (this: SoftDeletable<T>, id: Key<T>): Promise<Row<T> | undefined>
  restore (id: Key<T>): Promise<Row<T> | undefined> {
    return typed(markLive(this.#context, id))
  }

  /**
   * Restores the soft-deleted row with this primary key and resolves with it.
   * @throws NotFoundError if there is no deleted row; UniqueViolationError as {@link RepositoryWrites.restore}.
   */
  restoreOrThrow (this: SoftDeletable<T>, id: Key<T>): Promise<Row<T>>
  restoreOrThrow (id: Key<T>): Promise<Row<T>> {
    return typed(found(this.#context, 'restoreOrThrow', markLive(this.#context, id)))
  }

  /**
   * Permanently deletes the rows that were soft-deleted before a time, or more than a number of days ago. Resolves with their number.
   * It ignores `withDeleted()` and `onlyDeleted()`.
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
   * Called for each new row before it is written, by `create` and every other method that creates rows. Returns replacement values,
   * or nothing. A hook may write any writable column. If a hook throws, the whole write is undone.
   */
  protected beforeCreate (_values: NewRow<T>): NewRow<T> | void | Promise<NewRow<T> | void> {}

  /** Called once by `update`, `updateMany` and `restore`, unless there is nothing to write. Returns replacement values, or nothing. */
  protected beforeUpdate (_values: RowChanges<T>, _which: Affected<T>): RowChanges<T> | void | Promise<RowChanges<T> | void> {}

  /** Called once by `delete`, `deleteMany`, `softDelete` and `purge`, before anything is deleted. */
  protected beforeDelete (_which: Affected<T>, _deletion: Deletion): void | Promise<void> {}

  /** Called with each created row, as stored, in the transaction. */
  protected afterCreate (_row: Row<T>): void | Promise<void> {}

  /** Called with each changed or restored row, as stored, in the transaction. */
  protected afterUpdate (_row: Row<T>): void | Promise<void> {}

  /** Called with each deleted row in the transaction: as it was, or with its mark after a soft delete. */
  protected afterDelete (_row: Row<T>, _deletion: Deletion): void | Promise<void> {}
}
