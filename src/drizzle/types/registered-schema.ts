import type { Table, TablesRelationalConfig } from 'drizzle-orm'

/**
 * Declares the schema of a program once, so that `drizzle.query` and `repo.with()` have its tables in their types everywhere:
 * `relations` is the result of `defineRelations()` of Drizzle 1.0, `schema` has the tables and relations of 0.45. `databases` has the
 * same for each further database, by its name.
 *
 * @example
 * ```ts
 * declare module 'fastify-data-access' {
 *   interface Register { schema: typeof schema } // with Drizzle 1.0: { relations: typeof relations }
 *   // beside another database: { schema: typeof schema, databases: { billing: { schema: typeof billingSchema } } }
 * }
 * ```
 */
// Empty: programs extend it.
export interface Register {}

/** The schema of a declaration, or none. */
export type SchemaIn<Declared> = Declared extends { schema: infer Schema extends Record<string, unknown> } ? Schema : Record<string, never>

/** The relations of a declaration in Drizzle 1.0. Without them, the tables of its schema have no relations. */
export type RelationsIn<Declared> = Declared extends { relations: infer Relations extends TablesRelationalConfig } ? Relations : TablesWithoutRelations<SchemaIn<Declared>>

type TablesWithoutRelations<Schema> = {
  [Key in keyof Schema as Schema[Key] extends Table ? Key : never]: { table: Schema[Key], name: Key, relations: {} }
}

/** The schema of {@link Register}, or none. */
export type RegisteredSchema = SchemaIn<Register>

/** The relations of {@link Register} in Drizzle 1.0. Without them, the tables of its schema have no relations. */
export type RegisteredRelations = RelationsIn<Register>
