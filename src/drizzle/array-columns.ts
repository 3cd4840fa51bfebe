import * as pgCore from 'drizzle-orm/pg-core'
import { isDrizzle1 } from './version.js'
import type { PgColumn } from 'drizzle-orm/pg-core'

// Drizzle 0.45 has a class for arrays, with the column of the elements; 1.0 has a number of dimensions in each column. Its types declare neither.

/** The column of an array's elements, which may be an array again; undefined if the column is not an array. */
export function elementOf (column: PgColumn): PgColumn | undefined {
  if (!isDrizzle1) return (column as { baseColumn?: PgColumn }).baseColumn
  const { dimensions } = column as unknown as Drizzle1Column
  return dimensions === 0 ? undefined : withDimensions(column, dimensions - 1)
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

/** Whether an array is read and written element by element; a program may have given its column other methods. */
export function isPlainArray (column: PgColumn): boolean {
  if (isDrizzle1) return elementOf(column) !== undefined
  const { PgArray } = pgCore
  return column instanceof PgArray && column.mapFromDriverValue === PgArray.prototype.mapFromDriverValue && column.mapToDriverValue === PgArray.prototype.mapToDriverValue
}

/** The parts of a column of Drizzle 1.0 that 0.45 does not have. */
interface Drizzle1Column {
  readonly dimensions: number
  readonly table: unknown
  readonly config: object
  readonly constructor: new (table: unknown, config: object) => { postBuild (): PgColumn }
}

/** The same column of Drizzle 1.0 with other dimensions, as `pgTable` would build it. */
function withDimensions (column: PgColumn, dimensions: number): PgColumn {
  const { constructor: Type, table, config } = column as unknown as Drizzle1Column
  return new Type(table, { ...config, dimensions }).postBuild()
}
