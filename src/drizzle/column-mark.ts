import type { PgColumn, PgColumnBuilderBase } from 'drizzle-orm/pg-core'

// What this package knows of the inside of a column: Drizzle hands the builder's `config`, protected by its types, to the column it builds.

/** What a column is for, beyond its type. */
export interface Mark {
  /** Rows with a value here are deleted; `filter` hides them from the repository. */
  readonly softDelete?: { readonly filter: boolean }
  /** The row's version for the optimistic lock. */
  readonly version?: true
}

/** Registered, so that a schema built by another copy of this package is understood. */
const key: unique symbol = Symbol.for('fastify-data-access:mark')

interface Configured {
  readonly config: { [key]?: Mark }
}

/** The builder, whose column will be known for what it is. */
export function marked<Builder extends PgColumnBuilderBase> (builder: Builder, mark: Mark): Builder {
  const { config } = builder as unknown as Configured // protected
  config[key] = mark
  return builder
}

/** What a column was marked as; nothing for a column of the user's own. */
export function markOf (column: PgColumn): Mark {
  const { config } = column as unknown as Configured // protected
  return config[key] ?? {}
}
