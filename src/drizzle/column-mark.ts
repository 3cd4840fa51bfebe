import type { PgColumn, PgColumnBuilderBase } from 'drizzle-orm/pg-core'

// The internals of a column: Drizzle passes the builder's `config`, protected by its types, to the column.

/** The purpose of a column, beyond its type. */
export interface Mark {
  /** Rows with a value here are deleted; `filter` hides them from the repository. */
  readonly softDelete?: { readonly filter: boolean }
  /** The row's version for the optimistic lock. */
  readonly version?: true
}

/** A registered symbol, so that a schema built by another copy of this package works. */
const key: unique symbol = Symbol.for('fastify-data-access:mark')

interface Configured {
  readonly config: { [key]?: Mark }
}

/** Marks the builder of a column. */
export function marked<Builder extends PgColumnBuilderBase> (builder: Builder, mark: Mark): Builder {
  const { config } = builder as unknown as Configured // protected
  config[key] = mark
  return builder
}

/** The mark of a column; empty for a column without one. */
export function markOf (column: PgColumn): Mark {
  const { config } = column as unknown as Configured // protected
  return config[key] ?? {}
}
