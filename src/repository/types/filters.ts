import type { Column, InferInsertModel, InferSelectModel, SQL } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { VersionKey } from '../../model/columns.js'
import type { Increment } from './increment.js'
import type { Simplify } from './simplify.js'

/** A row of the table, as it is read. */
export type Row<T extends PgTable> = InferSelectModel<T>

/** The name of a column in a row. */
export type ColumnKey<T extends PgTable> = keyof Row<T> & string

/** The row with these columns only. */
export type Picked<R, K extends keyof R> = Simplify<Pick<R, K>>

/** What becomes of keys that may not be written: a `ValidationError`, or nothing at all. */
export type Others = 'refuse' | 'drop'

/** The columns that a caller can write: all but the generated ones and the version. */
export type WritableKey<T extends PgTable> = Exclude<ColumnKey<T> & InsertKey<T>, VersionKey<T>>

/** Asked of the columns one by one: TypeScript 5.9 leaves the optional keys out of `keyof InferInsertModel<T>`. */
type InsertKey<T extends PgTable> = {
  [Key in keyof ColumnsOf<T>]: [ColumnsOf<T>[Key]['_']['generated']] extends [undefined] ? 'always' extends ColumnsOf<T>[Key]['_']['identity'] ? never : Key : never
}[keyof ColumnsOf<T>]

/**
 * Keys of columns that are not to be written here: not even from a variable whose type has them. The version of a row is one of
 * `$inferInsert`, whose variables are taken: where it has a value it is refused at run time.
 */
type Unwritten<T extends PgTable, W, O extends Others> = O extends 'drop' ? unknown : { readonly [Key in Exclude<ColumnKey<T>, W | (WritableKey<T> extends W ? VersionKey<T> : never)>]?: undefined }

/**
 * What `create` takes: the required columns, any of the others, and SQL in place of a value. Generated columns and the version are
 * not among them, nor columns that are not writable here: `W`.
 */
export type NewRow<T extends PgTable, W extends ColumnKey<T> = WritableKey<T>, O extends Others = 'refuse'> = Simplify<{
  readonly [Key in keyof InferInsertModel<T> as Extract<Exclude<Key, VersionKey<T>>, W>]: InferInsertModel<T>[Key] | SQL
} & Unwritten<T, Extract<W, WritableKey<T>>, O>>

/** What `update` takes: any columns but the generated ones, the version, and those not writable here. `undefined` means "not given". */
export type RowChanges<T extends PgTable, W extends ColumnKey<T> = WritableKey<T>, O extends Others = 'refuse'> = Simplify<{
  readonly [Key in keyof InferInsertModel<T> as Extract<Exclude<Key, VersionKey<T>>, W>]?: InferInsertModel<T>[Key] | SQL | IncrementOf<ColumnsOf<T>, Key> | undefined
} & Unwritten<T, Extract<W, WritableKey<T>>, O>>

type IncrementOf<Columns, Key> = Key extends keyof Columns
  ? Columns[Key] extends Column
    ? Columns[Key]['_']['dataType'] extends 'number' ? Increment<number>
      : Columns[Key]['_']['dataType'] extends 'bigint' ? Increment<number | bigint>
        : Columns[Key]['_']['columnType'] extends 'PgNumeric' ? Increment<number | string> : never
    : never
  : never

type ColumnsOf<T extends PgTable> = T['_']['columns']

type PrimaryKeyOf<T extends PgTable> = {
  [Key in keyof ColumnsOf<T>]: ColumnsOf<T>[Key]['_']['isPrimaryKey'] extends true ? Key : never
}[keyof ColumnsOf<T>]

type CompositeKey<T extends PgTable> = { readonly [Key in keyof Row<T>]?: NonNullable<Row<T>[Key]> }

/**
 * The primary key: its value, or an object for a key that `primaryKey({ columns })` declares
 * (Drizzle's types do not tell which columns that names: a missing one is a `ValidationError`).
 */
export type Key<T extends PgTable> = [PrimaryKeyOf<T>] extends [never] ? CompositeKey<T> : ColumnsOf<T>[PrimaryKeyOf<T>]['_']['data']

type TextOperators = {
  /** LIKE with a pattern of one's own: `%` and `_` are wildcards. */
  readonly like?: string
  /** LIKE without regard to case. */
  readonly ilike?: string
  /** The text stands somewhere in the column; `%` and `_` mean themselves. */
  readonly contains?: string
  /** The column begins with the text; `%` and `_` mean themselves. */
  readonly startsWith?: string
  /** The column ends with the text; `%` and `_` mean themselves. */
  readonly endsWith?: string
}

type TextColumnType = 'PgText' | 'PgVarchar' | 'PgChar' | 'PgCustomColumn'

type IsText<C extends Column> = C['_']['columnType'] extends TextColumnType
  ? C['_']['data'] extends string ? true : false
  : false

type Comparisons<C extends Column> = {
  readonly eq?: C['_']['data'] | null
  /** Rows in which the column is NULL do not match, as in SQL, unless `null` is what they must not be. */
  readonly ne?: C['_']['data'] | null
  readonly lt?: C['_']['data']
  readonly lte?: C['_']['data']
  readonly gt?: C['_']['data']
  readonly gte?: C['_']['data']
  /** One of the list; an empty list matches nothing. */
  readonly in?: ReadonlyArray<C['_']['data']>
  /** None of the list; an empty list matches every row. */
  readonly notIn?: ReadonlyArray<C['_']['data']>
  /** Both ends included. */
  readonly between?: readonly [C['_']['data'], C['_']['data']]
}

/** PostgreSQL has no equality for these. */
type IncomparableType = 'PgJson' | 'PgPointTuple' | 'PgPointObject'

type ArrayOperators<C extends Column> = {
  /** Each of these is in the column's array, `@>`. */
  readonly arrayContains?: C['_']['data']
  /** Each element of the column's array is one of these, `<@`. */
  readonly arrayContained?: C['_']['data']
  /** At least one of these is in the column's array, `&&`. */
  readonly arrayOverlaps?: C['_']['data']
}

/** Some of the properties of a document, at any depth, or some of the elements of a list. */
export type JsonPart<Document> =
  Document extends ReadonlyArray<infer Item> ? ReadonlyArray<JsonPart<Item>>
    : Document extends object ? { readonly [Key in keyof Document]?: JsonPart<Document[Key]> }
      : Document

type JsonOperators<C extends Column> = {
  /** All of this is in the column's document, `@>`: a GIN index serves it. */
  readonly jsonContains?: JsonPart<C['_']['data']>
  /** All of the column's document is in this one, `<@`. */
  readonly jsonContained?: C['_']['data']
}

/** The operators of a filter on one column; several are joined by AND. */
export type Operators<C extends Column> = { readonly isNull?: boolean } &
  (C['_']['columnType'] extends IncomparableType ? unknown : Comparisons<C>) &
  (IsText<C> extends true ? TextOperators : unknown) &
  (C['_']['columnType'] extends 'PgArray' ? ArrayOperators<C> : unknown) &
  (C['_']['columnType'] extends 'PgJsonb' ? JsonOperators<C> : unknown)

/** A plain object is read as operators, so that a value of json is compared by `{ eq: … }`. */
type ColumnFilter<C extends Column> = Shorthand<C> | null | Operators<C>

type Shorthand<C extends Column> = C['_']['dataType'] extends 'json' ? never : C['_']['columnType'] extends IncomparableType ? never : C['_']['data']

type Joining = 'and' | 'or' | 'not'

/** What a column of the name of a joining key is filtered by: an array behind it is always one of filters. */
type JoiningColumn<T extends PgTable, Key extends Joining> = Key extends keyof ColumnsOf<T> ? string extends keyof ColumnsOf<T> ? never : Exclude<ColumnFilter<ColumnsOf<T>[Key]>, readonly unknown[]> : never

/** In a table that has a column `not`, a list of filters is always what is negated; an object of operators alone is the column's. */
type NegatedList<T extends PgTable> = 'not' extends keyof ColumnsOf<T> ? string extends keyof ColumnsOf<T> ? never : ReadonlyArray<FilterObject<T> | SQL> : never

/** A filter by columns; everything in it is joined by AND. */
export type FilterObject<T extends PgTable> = {
  readonly [Key in Exclude<keyof ColumnsOf<T> & string, Joining>]?: ColumnFilter<ColumnsOf<T>[Key]>
} & {
  readonly and?: ReadonlyArray<FilterObject<T> | SQL> | JoiningColumn<T, 'and'>
  /** At least one of them; an empty list matches nothing. */
  readonly or?: ReadonlyArray<FilterObject<T> | SQL> | JoiningColumn<T, 'or'>
  readonly not?: FilterObject<T> | SQL | NegatedList<T> | JoiningColumn<T, 'not'>
}

/**
 * Which rows are meant: `{ column: value | null | { operator: … } }` with `and`, `or`, `not`, or a condition made with Drizzle.
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

/** The order of a list: columns in their order of weight, or Drizzle's expressions. The primary key is always the last. */
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
  /** Leave out rows that someone else has locked. */
  readonly skipLocked?: boolean
}

/** How one row is read. */
export interface RowOptions<T extends PgTable, K extends ColumnKey<T> = ColumnKey<T>> {
  /** Only these columns. @defaultValue all of them */
  readonly columns?: readonly K[]
  /** Lock the row; the statement then runs in the transaction. @defaultValue none */
  readonly lock?: Lock
}

/** How the first row of several is read. */
export interface FirstOptions<T extends PgTable, K extends ColumnKey<T> = ColumnKey<T>> extends RowOptions<T, K> {
  /** @defaultValue the primary key, ascending */
  readonly orderBy?: OrderBy<T>
}

/** Which part of a list is read, and in which order. */
export interface Page<T extends PgTable, K extends ColumnKey<T> = ColumnKey<T>> extends FirstOptions<T, K> {
  /** How many rows to leave out. @defaultValue 0 */
  readonly skip?: number
  /** The most rows to read. @defaultValue `repository.defaultLimit`, 100; at most `repository.maxLimit`, 1000 */
  readonly limit?: number
}

/** Consent to change or delete every row of the table. */
export interface ManyOptions {
  /** Without it an empty filter is an `EmptyFilterError`. @defaultValue false */
  readonly all?: boolean
}

/** What `update` goes by; `expectedVersion` is there for tables with `version()`. */
export type UpdateOptions<T extends PgTable> = [VersionKey<T>] extends [never] ? { readonly expectedVersion?: undefined } : {
  /** The version that the row must still have: with another one nothing is written, and the update is a `StaleRowError`. @defaultValue any */
  readonly expectedVersion?: number
}

/** What `writable` goes by. */
export interface WritableOptions<O extends Others = Others> {
  /** What becomes of keys that may not be written: refused with a `ValidationError`, or dropped. @defaultValue 'refuse' */
  readonly others?: O
}

/** Which deleted rows `purge` deletes for good. */
export interface PurgeOptions {
  /** Those deleted before this time, or longer ago than this number of days by the clock of the database; 0 is all of them. */
  readonly olderThan: Date | number
}
