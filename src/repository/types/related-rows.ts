import type { BuildRelationResult, DBQueryConfig, ExtractTablesWithRelations } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { RegisteredSchema } from '../../drizzle/registered-schema.js'
import type { ColumnKey, Row } from './filters.js'

type Tables = ExtractTablesWithRelations<RegisteredSchema>

/** What the registered schema says of a table; never of one that is not in it. */
type Registered<T extends PgTable> = {
  [Key in keyof Tables]: T['_']['name'] extends Tables[Key]['dbName'] ? Tables[Key] : never
}[keyof Tables]

/** The relations of a table, as Drizzle's relational queries name them in `with`; never without a registered schema. */
export type Relations<T extends PgTable> = [Registered<T>] extends [never] ? never : NonNullable<DBQueryConfig<'many', true, Tables, Registered<T>>['with']>

/** A row, and what is related to it. */
export type RelatedRow<T extends PgTable, W, K extends ColumnKey<T> = ColumnKey<T>> = Pick<Row<T>, K> & BuildRelationResult<Tables, W, Registered<T>['relations']>
