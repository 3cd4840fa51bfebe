import type { PgTable } from 'drizzle-orm/pg-core'
import type { RegisteredTable, RelatedRows, RelationOptions } from '../../drizzle/types/registered-tables.js'
import type { ColumnKey, Row } from './filters.js'
import type { Impossible } from './impossible.js'
import type { Simplify } from './simplify.js'

/** The relations of a table, as Drizzle's relational queries name them in `with`. A table that is not in the registered schema, or has no relations there, has none. */
export type Relations<T extends PgTable> = [RegisteredTable<T>] extends [never]
  ? Impossible<'declare a schema with this table in Register'>
  : HasRelations<RegisteredTable<T>['relations']> extends true ? RelationOptions<T> : Record<string, never>

/** A table without relations has `never` in Drizzle 0.45, which would allow any name, and none in 1.0. */
type HasRelations<Declared> = [Declared] extends [never] ? false : [keyof Declared] extends [never] ? false : true

/** The relations that a call asks for, without keys that the table does not have: the compiler accepts any key beside a known one. */
export type KnownRelations<W, Known> = Known extends Impossible<string> ? unknown : {
  [Name in keyof W]: Name extends keyof Known ? KnownOptions<W[Name], Extract<Known[Name], object>> : never
}

interface Options {
  readonly columns?: unknown
  readonly with?: unknown
  readonly where?: unknown
  readonly orderBy?: unknown
  readonly limit?: unknown
  readonly extras?: unknown
}

type KnownOptions<Given, Known extends Options> = Given extends boolean | undefined ? Given : {
  [Key in keyof Given]: Key extends 'columns' ? { [Column in keyof Given[Key]]: Column extends keyof NonNullable<Known['columns']> ? Given[Key][Column] : never }
    : Key extends 'with' ? KnownRelations<Given[Key], NonNullable<Known['with']>>
      : Key extends keyof Options ? Given[Key] : never
}

/** A row with its related rows. */
export type RelatedRow<T extends PgTable, W, K extends ColumnKey<T> = ColumnKey<T>> = Simplify<Pick<Row<T>, K> & RelatedRows<T, W>>
