import type { BuildRelationResult, DBQueryConfig, ExtractTablesWithRelations } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { RegisteredSchema } from '../../drizzle/registered-schema.js'
import type { ColumnKey, Row } from './filters.js'
import type { Impossible } from './impossible.js'
import type { Simplify } from './simplify.js'

type Tables = ExtractTablesWithRelations<RegisteredSchema>

/** The registered schema's entry for a table; never for a table that is not in it. */
type Registered<T extends PgTable> = {
  [Key in keyof Tables]: T['_']['name'] extends Tables[Key]['dbName'] ? Tables[Key] : never
}[keyof Tables]

/** The relations of a table, as Drizzle's relational queries name them in `with`. A table that is not in the registered schema has none. */
export type Relations<T extends PgTable> = [Registered<T>] extends [never]
  ? Impossible<'declare a schema with this table in Register'>
  : NonNullable<DBQueryConfig<'many', true, Tables, Registered<T>>['with']>

/** A row with its related rows. */
export type RelatedRow<T extends PgTable, W, K extends ColumnKey<T> = ColumnKey<T>> =
  Simplify<Pick<Row<T>, K> & BuildRelationResult<Tables, W, Registered<T>['relations']>>
