import * as casings from 'drizzle-orm/casing'
import type { Column, SQL } from 'drizzle-orm'

/** How Drizzle writes names, as in `drizzle()` and in drizzle.config.ts. */
export type Casing = 'snake_case' | 'camelCase'

/** Why Drizzle 1.0 takes no casing, after the name of the option. */
export const casingRefusal = 'is an option of Drizzle 0.45, which 1.0 ignores: declare the tables with snakeCase.table() or camelCase.table() of drizzle-orm/pg-core'

const conversions = { snake_case: casings.toSnakeCase, camelCase: casings.toCamelCase }

/** A name as `casing` writes it. */
export function cased (name: string, casing: Casing | undefined): string {
  return casing === undefined ? name : conversions[casing](name)
}

/** The part of a writer of SQL that names columns, in Drizzle 0.45. */
type ColumnNames = Parameters<SQL['toQuery']>[0] extends { casing: infer Names } ? Names : never

/** Drizzle's own cache reads all columns from the table of a column; a view has none, so this one does not. */
export function columnNames (casing: Casing | undefined): ColumnNames {
  return { getColumnCasing: (column: Column) => casedName(column, casing) } as unknown as ColumnNames // Drizzle only calls this method
}

/** A column's name in the database. */
export function casedName ({ name, keyAsName }: { readonly name: string, readonly keyAsName: boolean }, casing: Casing | undefined): string {
  return keyAsName ? cased(name, casing) : name
}
