import * as casings from 'drizzle-orm/casing'
import type { Column } from 'drizzle-orm'

/** How Drizzle writes names, as in `drizzle()` and in drizzle.config.ts. */
export type Casing = 'snake_case' | 'camelCase'

const conversions = { snake_case: casings.toSnakeCase, camelCase: casings.toCamelCase }

/** Drizzle 1.0 has none: its tables name their columns. */
const Cache = (casings as Partial<typeof casings>).CasingCache ?? (class {} as typeof casings.CasingCache)

/** A name as `casing` writes it. */
export function cased (name: string, casing: Casing | undefined): string {
  return casing === undefined ? name : conversions[casing](name)
}

/** Drizzle's own cache reads all columns from the table of a column; a view has none, so this one does not. */
export class Names extends Cache {
  readonly #casing: Casing | undefined

  constructor (casing: Casing | undefined) {
    super(casing)
    this.#casing = casing
  }

  override getColumnCasing (column: Column): string {
    return casedName(column, this.#casing)
  }
}

/** A column's name in the database. */
export function casedName ({ name, keyAsName }: { readonly name: string, readonly keyAsName: boolean }, casing: Casing | undefined): string {
  return keyAsName ? cased(name, casing) : name
}
