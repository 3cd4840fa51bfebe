import type { PgColumn } from 'drizzle-orm/pg-core'

// The internals of a column: Drizzle passes the builder's `config`, protected by its types, to the column.

/** The purpose of a column, beyond its type. */
export interface Mark {
  /** Rows with a value here are deleted; `filter` hides them from the repository. */
  readonly softDelete?: { readonly filter: boolean }
  /** The row's version for the optimistic lock. */
  readonly version?: true
  /** Each update sets it to the time of the statement. */
  readonly updatedAt?: true
}

/** A registered symbol, so that a schema built by another copy of this package works. */
const key: unique symbol = Symbol.for('fastify-data-access:mark')

interface Configured {
  readonly config: { [key]?: Mark, readonly hasDefault: boolean }
}

/** Marks the builder of a column. */
export function marked<Builder extends object> (builder: Builder, mark: Mark): Builder {
  const { config } = builder as unknown as Configured // protected
  config[key] = { ...config[key], ...mark }
  return builder
}

interface Filling {
  $default (value: () => unknown): unknown
  $onUpdate (value: () => unknown): unknown
}

/** Has each update write this value, unless the caller gives one. */
export function updatedBy<Builder extends object> (builder: Builder, value: unknown): Builder {
  (builder as unknown as Filling).$onUpdate(() => value) // its types ask for a value of the column
  return builder
}

/** Gives new rows this value, if the column has no default. */
export function filledBy<Builder extends object> (builder: Builder, value: unknown): Builder {
  const { config } = builder as unknown as Configured // protected
  if (!config.hasDefault) (builder as unknown as Filling).$default(() => value) // its types ask for a value of the column
  return builder
}

/** The mark of a column; empty for a column without one. */
export function markOf (column: PgColumn): Mark {
  const { config } = column as unknown as Configured // protected
  return config[key] ?? {}
}
