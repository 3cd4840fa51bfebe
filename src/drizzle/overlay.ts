/** Tables, columns and views of a model with other parts. The model itself stays as it is. */
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'

const tableColumns = Symbol.for('drizzle:Columns')
const extraConfig = Symbol.for('drizzle:ExtraConfigBuilder')
const viewConfig = Symbol.for('drizzle:ViewBaseConfig')

/** The third argument of `pgTable()`. */
type ExtraConfig = (columns: unknown) => unknown

/** An object with other values for some of its properties. */
export function overlay<Thing extends object> (thing: Thing, values: Readonly<Record<PropertyKey, unknown>>): Thing {
  return new Proxy(thing, { get: (target, key) => Object.hasOwn(values, key) ? values[key] : Reflect.get(target, key) })
}

/** A table with a change to each of its columns, and to each index, check, policy and key of its third argument. */
export function overlayTable (table: PgTable, changes: { readonly column: (column: PgColumn) => PgColumn, readonly extra: (extra: object) => object }): PgTable {
  const columns = Object.entries(Reflect.get(table, tableColumns) as Record<string, PgColumn>)
  const build = Reflect.get(table, extraConfig) as ExtraConfig | undefined
  return overlay(table, {
    [tableColumns]: Object.fromEntries(columns.map(([key, column]) => [key, changes.column(column)])),
    ...build !== undefined && { [extraConfig]: (self: unknown) => Object.values(build(self) as object).flat(1).map(changes.extra) }
  })
}

/** A view with another query. */
export function overlayView<View extends object> (view: View, query: unknown): View {
  return overlay(view, { [viewConfig]: { ...Reflect.get(view, viewConfig) as object, query } })
}
