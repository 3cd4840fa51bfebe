import { sql } from 'drizzle-orm'
import type { Placeholder, SQL } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'

/**
 * A parameter as an array of a column's type. PostgreSQL cannot infer the type of an array that is only unnested;
 * an empty array of the column's values gives it one.
 */
export function typedArray (parameter: Placeholder, column: PgColumn, table: PgTable): SQL {
  return sql`coalesce(${parameter}, array(select ${column} from ${table} limit 0))`
}
