import type { Table, TablesRelationalConfig } from 'drizzle-orm'

/**
 * Declares the schema of a program once, so that `drizzle.query` and `repo.with()` have its tables in their types everywhere:
 * `relations` is the result of `defineRelations()` of Drizzle 1.0, `schema` has the tables and relations of 0.45.
 *
 * @example
 * ```ts
 * declare module 'fastify-data-access' {
 *   interface Register { schema: typeof schema } // with Drizzle 1.0: { relations: typeof relations }
 * }
 * ```
 */
// Empty: programs extend it.
export interface Register {}

/** The schema of {@link Register}, or none. */
export type RegisteredSchema = Register extends { schema: infer Schema extends Record<string, unknown> } ? Schema : Record<string, never>

/** The relations of {@link Register} in Drizzle 1.0. Without them, the tables of its schema have no relations. */
export type RegisteredRelations = Register extends { relations: infer Relations extends TablesRelationalConfig } ? Relations : {
  [Key in keyof RegisteredSchema as RegisteredSchema[Key] extends Table ? Key : never]: { table: RegisteredSchema[Key], name: Key, relations: {} }
}
