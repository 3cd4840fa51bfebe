/**
 * Where a program tells its schema, once, so that `drizzle.query` knows its tables everywhere.
 *
 * @example
 * ```ts
 * declare module 'fastify-data-access' {
 *   interface Register { schema: typeof schema }
 * }
 * ```
 */
// Empty on purpose: programs add to it.
export interface Register {}

/** The schema of {@link Register}, or none. */
export type RegisteredSchema = Register extends { schema: infer Schema extends Record<string, unknown> } ? Schema : Record<string, never>
