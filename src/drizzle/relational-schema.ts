import type { TablesRelationalConfig } from 'drizzle-orm'
import type { drizzle } from 'drizzle-orm/node-postgres'

/** The tables of a schema, in Drizzle's description. */
export interface RelationalSchema {
  readonly schema: TablesRelationalConfig
  /** The given schema: tables, and any other exports of a module. */
  readonly fullSchema: Readonly<Record<string, unknown>>
  readonly tableNamesMap: Readonly<Record<string, string>>
}

/** The schema of a Drizzle database; no tables if none was given. Its types know only the schema of their own program. */
export function relationalSchemaOf (database: ReturnType<typeof drizzle.mock>): RelationalSchema {
  const { schema = {}, fullSchema, tableNamesMap } = database._ as unknown as Partial<RelationalSchema> & Omit<RelationalSchema, 'schema'>
  return { schema, fullSchema, tableNamesMap }
}
