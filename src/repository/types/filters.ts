import type { Column, InferInsertModel, InferSelectModel, SQL } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { ColumnTypeOf, DataTypeOf, PrimaryKeyOf, TellsPrimaryKey } from '../../drizzle/types/column-kinds.js'
import type { VersionKey } from '../../model/own-columns.js'
import type { Increment } from './increment.js'
import type { Simplify } from './simplify.js'

/** A row of the table, as it is read. */
export type Row<T extends PgTable> = InferSelectModel<T>

/** The name of a column in a row. */
export type ColumnKey<T extends PgTable> = keyof Row<T> & string

/** The row with these columns only. */
export type Picked<R, K extends keyof R> = Simplify<Pick<R, K>>

/** How keys that may not be written are handled: refused with a `ValidationError`, or dropped. */
export type Others = 'refuse' | 'drop'

/** The columns that a caller can write: all except generated columns and the version. */
export type WritableKey<T extends PgTable> = Exclude<ColumnKey<T> & InsertKey<T>, VersionKey<T>>

/** Derived from each column: TypeScript 5.9 omits the optional keys from `keyof InferInsertModel<T>`. */
type InsertKey<T extends PgTable> = {
  [Key in keyof ColumnsOf<T>]: [ColumnsOf<T>[Key]['_']['generated']] extends [undefined]
    ? 'always' extends ColumnsOf<T>[Key]['_']['identity'] ? never : Key
    : never
}[keyof ColumnsOf<T>]

/**
 * Keys of columns that may not be written here, not even from a variable whose type has them. The version is allowed in the type,
 * because `$inferInsert` has it; a value for it is refused at run time.
 */
type Unwritten<T extends PgTable, W, O extends Others> = O extends 'drop'
  ? unknown
  : { readonly [Key in Exclude<ColumnKey<T>, W | (WritableKey<T> extends W ? VersionKey<T> : never)>]?: undefined }

/**
 * The values of `create`: the required columns and any optional ones; each may be SQL. Generated columns, the version and columns
 * outside `W` cannot be given.
 */
export type NewRow<T extends PgTable, W extends ColumnKey<T> = WritableKey<T>, O extends Others = 'refuse'> = Simplify<{
  readonly [Key in keyof InferInsertModel<T> as Extract<Exclude<Key, VersionKey<T>>, W>]: InferInsertModel<T>[Key] | SQL
} & Unwritten<T, Extract<W, WritableKey<T>>, O>>

/** The values of `update`, by the names of writable columns. Generated columns and the version cannot be given; `undefined` means "not given". */
export type RowChanges<T extends PgTable, W extends ColumnKey<T> = WritableKey<T>, O extends Others = 'refuse'> = Simplify<{
  readonly [Key in keyof InferInsertModel<T> as Extract<Exclude<Key, VersionKey<T>>, W>]?:
    InferInsertModel<T>[Key] | SQL | IncrementOf<ColumnsOf<T>, Key> | undefined
} & Unwritten<T, Extract<W, WritableKey<T>>, O>>

type IncrementOf<Columns, Key> = Key extends keyof Columns
  ? Columns[Key] extends Column
    ? DataTypeOf<Columns[Key]> extends 'number' ? Increment<number>
      : DataTypeOf<Columns[Key]> extends 'bigint' ? Increment<number | bigint>
        : ColumnTypeOf<Columns[Key]> extends 'PgNumeric' | 'PgBigIntString' ? Increment<number | string> : never
    : never
  : never

type ColumnsOf<T extends PgTable> = T['_']['columns']

type CompositeKey<T extends PgTable> = { readonly [Key in keyof Row<T>]?: NonNullable<Row<T>[Key]> }

/**
 * The primary key: its value, or an object for a key declared by `primaryKey({ columns })`. Drizzle's types do not contain the
 * columns of such a key, so a missing one is a `ValidationError` at run time. The types of Drizzle 1.0 contain no primary key: a
 * value is that of the column `id`, or without one that of any required column, and `{ column: value }` names another column.
 */
export type Key<T extends PgTable> = [PrimaryKeyOf<ColumnsOf<T>>] extends [never] ? CompositeKey<T>
  : ColumnsOf<T>[PrimaryKeyOf<ColumnsOf<T>>]['_']['data'] | (TellsPrimaryKey<ColumnsOf<T>> extends true ? never : object & Simplify<CompositeKey<T>>)

type TextOperators = {
  /** Matches a LIKE pattern: `%` and `_` are wildcards. */
  readonly like?: string
  /** Matches a LIKE pattern, ignoring case. */
  readonly ilike?: string
  /** The column contains this text; `%` and `_` are ordinary characters. */
  readonly contains?: string
  /** The column begins with this text; `%` and `_` are ordinary characters. */
  readonly startsWith?: string
  /** The column ends with this text; `%` and `_` are ordinary characters. */
  readonly endsWith?: string
}

type TextColumnType = 'PgText' | 'PgVarchar' | 'PgChar' | 'PgCustomColumn'

type IsText<C extends Column> = ColumnTypeOf<C> extends TextColumnType
  ? C['_']['data'] extends string ? true : false
  : false

type Comparisons<C extends Column> = {
  readonly eq?: C['_']['data'] | null
  /** Not equal. As in SQL, NULL never matches. `{ ne: null }` means IS NOT NULL. */
  readonly ne?: C['_']['data'] | null
  readonly lt?: C['_']['data']
  readonly lte?: C['_']['data']
  readonly gt?: C['_']['data']
  readonly gte?: C['_']['data']
  /** Equal to a value of this list; an empty list matches no row. */
  readonly in?: ReadonlyArray<C['_']['data']>
  /** Equal to no value of this list; an empty list matches every row. */
  readonly notIn?: ReadonlyArray<C['_']['data']>
  /** From the first value to the second, both included. */
  readonly between?: readonly [C['_']['data'], C['_']['data']]
}

/** Types for which PostgreSQL has no equality. */
type IncomparableType = 'PgJson' | 'PgPointTuple' | 'PgPointObject'

type ArrayOperators<C extends Column> = {
  /** The column's array has all of these elements, `@>`. */
  readonly arrayContains?: C['_']['data']
  /** The column's array has only these elements, `<@`. */
  readonly arrayContained?: C['_']['data']
  /** The column's array has at least one of these elements, `&&`. */
  readonly arrayOverlaps?: C['_']['data']
}

/** Some of the properties of a document, at any depth, or some of the elements of a list. */
export type JsonPart<Document> =
  Document extends ReadonlyArray<infer Item> ? ReadonlyArray<JsonPart<Item>>
    : Document extends object ? { readonly [Key in keyof Document]?: JsonPart<Document[Key]> }
      : Document

type JsonOperators<C extends Column> = {
  /** The column's document contains this one, `@>`. A GIN index supports it. */
  readonly jsonContains?: JsonPart<C['_']['data']>
  /** The column's document is contained in this one, `<@`. */
  readonly jsonContained?: C['_']['data']
}

/** The operators of a filter on one column; several are joined by AND. */
export type Operators<C extends Column> = { readonly isNull?: boolean } &
  (ColumnTypeOf<C> extends IncomparableType ? unknown : Comparisons<C>) &
  (IsText<C> extends true ? TextOperators : unknown) &
  (ColumnTypeOf<C> extends 'PgArray' ? ArrayOperators<C> : unknown) &
  (ColumnTypeOf<C> extends 'PgJsonb' ? JsonOperators<C> : unknown)

/** A plain object is read as operators, so a json value is compared with `{ eq: … }`. */
type ColumnFilter<C extends Column> = Shorthand<C> | null | Operators<C>

type Shorthand<C extends Column> = DataTypeOf<C> extends 'json' ? never : ColumnTypeOf<C> extends IncomparableType ? never : C['_']['data']

type Joining = 'and' | 'or' | 'not'

/** The filter of a column named `and`, `or` or `not`. An array there is always a list of filters, never a value. */
type JoiningColumn<T extends PgTable, Key extends Joining> = Key extends keyof ColumnsOf<T>
  ? string extends keyof ColumnsOf<T> ? never : Exclude<ColumnFilter<ColumnsOf<T>[Key]>, readonly unknown[]>
  : never

/** In a table with a column `not`, a list of filters is negated, and an object of operators filters the column. */
type NegatedList<T extends PgTable> = 'not' extends keyof ColumnsOf<T>
  ? string extends keyof ColumnsOf<T> ? never : ReadonlyArray<FilterObject<T> | SQL>
  : never

/** A filter by columns; all entries are joined by AND. */
export type FilterObject<T extends PgTable> = {
  readonly [Key in Exclude<keyof ColumnsOf<T> & string, Joining>]?: ColumnFilter<ColumnsOf<T>[Key]>
} & {
  readonly and?: ReadonlyArray<FilterObject<T> | SQL> | JoiningColumn<T, 'and'>
  /** At least one of these filters matches; an empty list matches no row. */
  readonly or?: ReadonlyArray<FilterObject<T> | SQL> | JoiningColumn<T, 'or'>
  readonly not?: FilterObject<T> | SQL | NegatedList<T> | JoiningColumn<T, 'not'>
}

/**
 * Selects rows: `{ column: value | null | { operator: … } }` with `and`, `or`, `not`, or a Drizzle condition.
 *
 * @example
 * ```ts
 * repo.filter({ active: true, age: { gte: 18 }, or: [{ name: { startsWith: 'A' } }, { email: null }] })
 * repo.filter(and(eq(users.active, true), sql`${users.age} % 2 = 0`))
 * ```
 */
export type Filter<T extends PgTable> = FilterObject<T> | SQL | undefined

/** Ascending or descending. */
export type Direction = 'asc' | 'desc'

/** The order of a list: columns, the most significant first, or Drizzle expressions. The primary key is always added at the end. */
export type OrderBy<T extends PgTable> =
  | { readonly [Key in ColumnKey<T>]?: Direction | { readonly direction: Direction, readonly nulls?: 'first' | 'last' } }
  | SQL | Column | ReadonlyArray<SQL | Column>

/** PostgreSQL's row locks. */
export type LockStrength = 'update' | 'noKeyUpdate' | 'share' | 'keyShare'

/** A row lock, held until the transaction ends. */
export type Lock = LockStrength | {
  readonly strength: LockStrength
  /** Fail at once instead of waiting: a `LockTimeoutError` with status 409. */
  readonly nowait?: boolean
  /** Skip rows that another transaction has locked. */
  readonly skipLocked?: boolean
}

/** Options for reading one row. */
export interface RowOptions<T extends PgTable, K extends ColumnKey<T> = ColumnKey<T>> {
  /** Read only these columns. @defaultValue all of them */
  readonly columns?: readonly K[]
  /** Lock the row; the statement then runs in the transaction. @defaultValue none */
  readonly lock?: Lock
}

/** Options for reading the first of several rows. */
export interface FirstOptions<T extends PgTable, K extends ColumnKey<T> = ColumnKey<T>> extends RowOptions<T, K> {
  /** @defaultValue the primary key, ascending */
  readonly orderBy?: OrderBy<T>
}

/** The part of a list to read, and its order. */
export interface Page<T extends PgTable, K extends ColumnKey<T> = ColumnKey<T>> extends FirstOptions<T, K> {
  /** The number of rows to skip. @defaultValue 0 */
  readonly skip?: number
  /** The most rows to read. @defaultValue `repository.defaultLimit`, 100; at most `repository.maxLimit`, 1000 */
  readonly limit?: number
}

/** Consent to change or delete every row of the table. */
export interface ManyOptions {
  /** Without it an empty filter is an `EmptyFilterError`. @defaultValue false */
  readonly all?: boolean
}

/** The options of `createMany`. */
export interface CreateManyOptions {
  /** Whether the stored rows come back; otherwise only their number does. @defaultValue true */
  readonly returning?: boolean
}

/** The options of `update`. Only tables with `version()` have `expectedVersion`. */
export type UpdateOptions<T extends PgTable> = [VersionKey<T>] extends [never] ? { readonly expectedVersion?: undefined } : {
  /** The version that the row must still have. If it has another, nothing is written and the update rejects with a `StaleRowError`. @defaultValue any */
  readonly expectedVersion?: number
}

/** The options of `writable`. */
export interface WritableOptions<O extends Others = Others> {
  /** How keys that may not be written are handled: refused with a `ValidationError`, or dropped. @defaultValue 'refuse' */
  readonly others?: O
}

/** The soft-deleted rows that `purge` deletes permanently. */
export interface PurgeOptions {
  /** Rows deleted before this time, or more than this number of days ago by the database's clock; 0 means all of them. */
  readonly olderThan: Date | number
}
