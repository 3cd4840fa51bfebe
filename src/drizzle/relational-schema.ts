import type { TablesRelationalConfig } from 'drizzle-orm'
import type { drizzle } from 'drizzle-orm/node-postgres'

/** The tables of a schema, as Drizzle describes them. */
export interface RelationalSchema {
  readonly schema: TablesRelationalConfig
  /** What was given as the schema: tables, and whatever else a module exports. */
  readonly fullSchema: Readonly<Record<string, unknown>>
  readonly tableNamesMap: Readonly<Record<string, string>>
}

/** What a Drizzle database knows of the schema that it was given; no tables where it was given none. Its types know the schema of their own program only. */
export function relationalSchemaOf (database: ReturnType<typeof drizzle.mock>): RelationalSchema {
  const { schema = {}, fullSchema, tableNamesMap } = database._ as unknown as Partial<RelationalSchema> & Omit<RelationalSchema, 'schema'>
  return { schema, fullSchema, tableNamesMap }
}
