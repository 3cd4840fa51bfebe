import type { PgTable } from 'drizzle-orm/pg-core'
import type { ColumnKey, FirstOptions, Page, RowOptions } from './filters.js'
import type { CursorPage, NumberedPage } from './read-options.js'

/** The JSON schema of a row, as a route has it for its reply. Its properties are columns. */
export interface RowSchema {
  readonly properties: object
}

/** The properties of a schema that are columns. The compiler refuses any other. */
export type KnownColumns<S extends RowSchema, T extends PgTable> = {
  readonly properties: { readonly [Key in keyof S['properties']]: Key extends ColumnKey<T> ? unknown : string extends Key ? unknown : never }
}

/** Options of a read without `columns`: the schema names them. */
export type JsonRowOptions<T extends PgTable> = Omit<RowOptions<T>, 'columns'>
export type JsonFirstOptions<T extends PgTable> = Omit<FirstOptions<T>, 'columns'>
export type JsonPage<T extends PgTable> = Omit<Page<T>, 'columns'>
export type JsonNumberedPage<T extends PgTable> = Omit<NumberedPage<T>, 'columns'>
export type JsonCursorPage<T extends PgTable> = Omit<CursorPage<T>, 'columns'>
