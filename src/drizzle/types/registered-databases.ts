import type { Register } from './registered-schema.js'
import type { DrizzleOver } from './drizzle-database.js'

/**
 * The Drizzle databases of the further databases of {@link Register}, by their names. Without any, every name is accepted, as the
 * program may register one without declaring its schema.
 */
export type NamedDrizzles = Register extends { databases: infer Named extends object }
  ? { readonly [Name in keyof Named]: DrizzleOver<Named[Name]> }
  : { readonly [name: string]: DrizzleOver<Register> }
