import type { PgColumn } from 'drizzle-orm/pg-core'

/** The column of an array's elements, which may be an array again; undefined if the column is not an array. Drizzle's types do not declare it. */
export function elementOf (column: PgColumn): PgColumn | undefined {
  return (column as { baseColumn?: PgColumn }).baseColumn
}

/** The column of an array's innermost elements. */
export function innermost (column: PgColumn): PgColumn {
  const element = elementOf(column)
  return element === undefined ? column : innermost(element)
}

/** The number of dimensions; 0 if the column is not an array. */
export function depthOf (column: PgColumn): number {
  const element = elementOf(column)
  return element === undefined ? 0 : 1 + depthOf(element)
}
