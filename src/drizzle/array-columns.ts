import type { PgColumn } from 'drizzle-orm/pg-core'

/** The column of an array's elements, which may be an array again; undefined for a column that is no array. Drizzle's types do not tell of it. */
export function elementOf (column: PgColumn): PgColumn | undefined {
  return (column as { baseColumn?: PgColumn }).baseColumn
}

/** The column that an array's elements are of, however deep. */
export function innermost (column: PgColumn): PgColumn {
  const element = elementOf(column)
  return element === undefined ? column : innermost(element)
}

/** How many arrays are in each other; 0 for a column that is no array. */
export function depthOf (column: PgColumn): number {
  const element = elementOf(column)
  return element === undefined ? 0 : 1 + depthOf(element)
}
