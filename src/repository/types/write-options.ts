import type { PgTable } from 'drizzle-orm/pg-core'
import type { SoftDeleteKey } from '../../model/columns.js'
import type { ColumnKey, Filter, Others, Row, RowChanges, WritableKey } from './filters.js'
import type { Simplify } from './simplify.js'

/** A row as it is now, and whether it was made. */
export type Upserted<T extends PgTable> = Simplify<{
  readonly row: Row<T>
  /** False for a row that was there, changed or not. */
  readonly created: boolean
}>

/** How `upsert` and `upsertMany` find a row, and what they do with it. */
export type UpsertOptions<T extends PgTable, W extends ColumnKey<T> = WritableKey<T>, O extends Others = 'refuse'> = {
  /**
   * The column, or columns, by which the row is found: those of the primary key, of a unique constraint or of a unique index of
   * the table. Each of them needs a value.
   * @defaultValue the primary key
   */
  readonly target?: ColumnKey<T> | ReadonlyArray<ColumnKey<T>>
  /**
   * What is written into a row that is there: some of the columns given, or values of their own, `increment(1)` and SQL among
   * them; `sql.raw('excluded.name')` in it is the value of the row that was to be inserted.
   * @defaultValue every column given but the target
   */
  readonly update?: ReadonlyArray<ColumnKey<T>> | (RowChanges<T, W, O> & { readonly [Symbol.iterator]?: undefined })
  /** Which rows are changed; another one is left, and given, as it is. @defaultValue every row */
  readonly where?: Filter<T>
} & DeletedOption<T>

type DeletedOption<T extends PgTable> = [SoftDeleteKey<T>] extends [never] ? { readonly deleted?: undefined } : {
  /**
   * What becomes of a deleted row that is found. `'keep'` leaves it deleted: by a `uniqueLive()` key a new row is made beside it,
   * by any other there is no room for one, which is a `UniqueViolationError`. `'revive'` restores it, changed; by a `uniqueLive()`
   * key, which does not hold it, that is a `UsageError`.
   * @defaultValue 'keep'
   */
  readonly deleted?: 'keep' | 'revive'
}

/** What else a new row of `getOrCreate` is made of: not what its filter says already. Without a column that has to be given it may be left out. */
export type Defaults<F, New> = Record<never, never> extends DefaultsOf<F, New> ? [defaults?: DefaultsOf<F, New>] : [defaults: DefaultsOf<F, New>]

type DefaultsOf<F, New> = { readonly [Key in keyof New as Exclude<Key, keyof F>]: New[Key] } & { readonly [Key in keyof F & keyof New]?: undefined }
