import type { PgTable } from 'drizzle-orm/pg-core'
import type { SoftDeleteKey } from '../../model/own-columns.js'
import type { ColumnKey, Filter, Others, Row, RowChanges, WritableKey } from './filters.js'
import type { Simplify } from './simplify.js'

/** A row as stored now, and whether this call created it. */
export type Upserted<T extends PgTable> = Simplify<{
  readonly row: Row<T>
  /** False if the row already existed, whether it was changed or not. */
  readonly created: boolean
}>

/** How `upsert` and `upsertMany` find an existing row, and what they do with it. */
export type UpsertOptions<T extends PgTable, W extends ColumnKey<T> = WritableKey<T>, O extends Others = 'refuse'> = {
  /**
   * The column or columns that identify the row: those of the primary key, of a unique constraint or of a unique index of
   * the table. Each of them needs a value.
   * @defaultValue the primary key
   */
  readonly target?: ColumnKey<T> | ReadonlyArray<ColumnKey<T>>
  /**
   * The changes to an existing row: names of given columns, or other values, which may be `increment(1)` or SQL. In SQL,
   * `sql.raw('excluded.name')` is the value that would have been inserted.
   * @defaultValue every given column except the target
   */
  readonly update?: ReadonlyArray<ColumnKey<T>> | (RowChanges<T, W, O> & { readonly [Symbol.iterator]?: undefined })
  /** Which existing rows are changed; any other is returned unchanged. @defaultValue every row */
  readonly where?: Filter<T>
} & DeletedOption<T>

type DeletedOption<T extends PgTable> = [SoftDeleteKey<T>] extends [never] ? { readonly deleted?: undefined } : {
  /**
   * How an existing soft-deleted row is handled. `'keep'` leaves it deleted: with a `uniqueLive()` target a new row is created
   * beside it, with any other target the call rejects with a `UniqueViolationError`. `'revive'` restores and changes it; with a
   * `uniqueLive()` target, whose index does not contain deleted rows, that is a `UsageError`.
   * @defaultValue 'keep'
   */
  readonly deleted?: 'keep' | 'revive'
}

/** The values of a new row of `getOrCreate` that its filter does not give. The argument is optional if no required column is missing. */
export type Defaults<F, New> = Record<never, never> extends DefaultsOf<F, New> ? [defaults?: DefaultsOf<F, New>] : [defaults: DefaultsOf<F, New>]

type DefaultsOf<F, New> = { readonly [Key in keyof New as Exclude<Key, keyof F>]: New[Key] } & { readonly [Key in keyof F & keyof New]?: undefined }
