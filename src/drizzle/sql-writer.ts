/** Drizzle as a writer of SQL that runs nothing. */
import * as nodePostgres from 'drizzle-orm/node-postgres'
import { PgDialect } from 'drizzle-orm/pg-core'
import { isDrizzle1 } from './version.js'

/** The options of `drizzle()` that decide how SQL is written. */
export interface WriterSettings {
  /** Only in Drizzle 0.45. */
  readonly casing?: 'snake_case' | 'camelCase' | undefined
  /** Only in Drizzle 0.45. */
  readonly schema?: Record<string, unknown> | undefined
  /** Only in Drizzle 1.0. */
  readonly relations?: Record<string, unknown> | undefined
}

/** A Drizzle database without a connection. */
export type MockDatabase = ReturnType<typeof nodePostgres.drizzle.mock>

/** A database that writes SELECT, UPDATE and DELETE; it has no relational queries, so it needs no schema. */
export function mockDatabase (casing: WriterSettings['casing']): MockDatabase {
  return nodePostgres.drizzle.mock(casing && { casing })
}

/** A dialect that writes values as Drizzle's own driver expects them. */
export function newDialect (casing: WriterSettings['casing']): PgDialect {
  if (!isDrizzle1) return new PgDialect(casing === undefined ? {} : { casing })
  return new PgDialect({ codecs: (nodePostgres as { nodePgCodecs?: unknown }).nodePgCodecs } as object)
}
