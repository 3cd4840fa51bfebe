import type * as drizzle from 'drizzle-orm'
import type { TablesRelationalConfig } from 'drizzle-orm'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import type { Register, RelationsIn, SchemaIn } from './registered-schema.js'

/** A Drizzle database over the schema that a declaration names, or over its relations in Drizzle 1.0. */
export type DrizzleOver<Declared> = NodePgDatabase<typeof drizzle extends { defineRelations: unknown } ? Extract<RelationsIn<Declared>, TablesRelationalConfig> : SchemaIn<Declared>>

/** A Drizzle database over the registered schema, or over the registered relations in Drizzle 1.0. */
export type DrizzleDatabase = DrizzleOver<Register>
