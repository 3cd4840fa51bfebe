/**
 * Declares the schema of a program once, so that `drizzle.query` and `repo.with()` have its tables in their types everywhere.
 *
 * @example
 * ```ts
 * declare module 'fastify-data-access' {
 *   interface Register { schema: typeof schema }
 * }
 * ```
 */
// Empty: programs extend it.
export interface Register {}

/** The schema of {@link Register}, or none. */
export type RegisteredSchema = Register extends { schema: infer Schema extends Record<string, unknown> } ? Schema : Record<string, never>
