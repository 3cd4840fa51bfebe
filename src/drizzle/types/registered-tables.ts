/** The registered tables and their relations, as the installed version of Drizzle describes them. */
import type { BuildRelationResult, TableRelationalConfig, TablesRelationalConfig } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { RelationalQueryBuilder } from 'drizzle-orm/pg-core/query-builders/query'
import type { DrizzleDatabase } from './drizzle-database.js'
import type { NamedDrizzles } from './registered-databases.js'

/** What Drizzle says of each table of a database: `relations` in 1.0, `schema` in 0.45. */
type TablesOf<Described> = Described extends { readonly relations: infer Relations extends TablesRelationalConfig } ? Relations
  : Described extends { readonly schema: infer Schema } ? Extract<Schema, TablesRelationalConfig> : never

type FirstTables = TablesOf<DrizzleDatabase['_']>

/** The same for the further databases, one beside the other. */
type FurtherTables = { [Name in keyof NamedDrizzles]: TablesOf<NamedDrizzles[Name]['_']> }[keyof NamedDrizzles]

/** Whether a description is that of a table: by its name, and in 1.0 also by its schema. */
type Describes<Config, T extends PgTable> = Config extends { dbName: infer Name } ? T['_']['name'] extends Name ? true : false
  : Config extends { table: { _: { name: T['_']['name'], schema: T['_']['schema'] } } } ? true : false

type DescriptionIn<Tables, T extends PgTable> = { [Key in keyof Tables]: Describes<Tables[Key], T> extends true ? Tables[Key] : never }[keyof Tables]

/** The tables of those databases that have a table. */
type With<T extends PgTable, Tables> = Tables extends TablesRelationalConfig ? [DescriptionIn<Tables, T>] extends [never] ? never : Tables : never

/** The tables of the database that has a table: the first, else a further one. */
type TablesWith<T extends PgTable> = [With<T, FirstTables>] extends [never] ? With<T, FurtherTables> : FirstTables

/** The description of a table; never for a table that is not registered. */
export type RegisteredTable<T extends PgTable> = Extract<DescriptionIn<TablesWith<T>, T>, TableRelationalConfig>

/** The options of Drizzle's `findMany()` for a table. */
type QueryOptions<Tables extends TablesRelationalConfig, Config extends TableRelationalConfig> = NonNullable<Parameters<RelationalQueryBuilder<Tables, Config>['findMany']>[0]>

/** The relations of a registered table, as Drizzle's relational queries name them in `with`. */
export type RelationOptions<T extends PgTable> = QueryOptions<TablesWith<T>, RegisteredTable<T>> extends { with?: infer With } ? NonNullable<With> : Record<string, never>

/** The related rows, by the name of each relation. */
export type RelatedRows<T extends PgTable, With> = BuildRelationResult<TablesWith<T>, With, RegisteredTable<T>['relations']>
