import type { PgTable } from 'drizzle-orm/pg-core'
import type { ColumnKey } from './filters.js'

/** The JSON schema of a row, as a route has it for its reply. Its properties are columns. */
export interface RowSchema {
  readonly properties: object
}

/** The properties of a schema that are columns. The compiler refuses any other. */
export type KnownColumns<S extends RowSchema, T extends PgTable> = {
  readonly properties: { readonly [Key in keyof S['properties']]: Key extends ColumnKey<T> ? unknown : string extends Key ? unknown : never }
}

/** The options of a read but `columns`: the schema names them. */
export type WithoutColumns<Options> = Omit<Options, 'columns'>
