import type * as drizzle from 'drizzle-orm'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import type { RegisteredRelations, RegisteredSchema } from './registered-schema.js'

/** A Drizzle database over the registered schema, or over the registered relations in Drizzle 1.0. */
export type DrizzleDatabase = NodePgDatabase<typeof drizzle extends { defineRelations: unknown } ? RegisteredRelations : RegisteredSchema>
