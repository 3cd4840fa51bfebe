import { getTableName } from 'drizzle-orm'
import { pgSchema, pgTable } from 'drizzle-orm/pg-core'
import type { PgTable } from 'drizzle-orm/pg-core'

const schemaOf = Symbol.for('drizzle:Schema')

/** The name of a table and its schema. Unlike `getTableConfig`, it calls no function of the program, so it works while modules load. */
export function tableNameOf (table: PgTable): { readonly schema: string | undefined, readonly name: string } {
  return { schema: Reflect.get(table, schemaOf) as string | undefined, name: getTableName(table) }
}

/** `pgTable` for a schema. The types do not tell the schema, which only the program's own declaration could. */
export function tableIn (schema: string | undefined): typeof pgTable {
  return schema === undefined ? pgTable : pgSchema(schema).table as unknown as typeof pgTable
}
