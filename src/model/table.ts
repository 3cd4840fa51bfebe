import { View, getTableColumns, getViewName } from 'drizzle-orm'
import { PgTable, getTableConfig } from 'drizzle-orm/pg-core'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { UsageError } from '../errors/errors.js'
import { isEntity } from '../drizzle/entity.js'
import { markedColumns } from './marked-columns.js'

/** The model of a table. Keys are the TypeScript names of columns, in the order of their declaration. */
export interface TableModel<T extends PgTable = PgTable> {
  readonly table: T
  /** The SQL name, with its schema where it has one: for messages and the log. */
  readonly name: string
  /** Without a prototype, so that `constructor` is not found as a column. */
  readonly columns: Readonly<Record<string, PgColumn>>
  /** One key, or several when the key is composite. */
  readonly primaryKey: readonly string[]
  readonly softDelete: { readonly key: string, readonly filter: boolean } | undefined
  /** The key of the optimistic lock. */
  readonly version: string | undefined
  /** Keys that only PostgreSQL may write: generated columns and `GENERATED ALWAYS AS IDENTITY`. */
  readonly generated: ReadonlySet<string>
}

const models = new WeakMap<PgTable, TableModel>()

/**
 * Returns the model of a table, which is built once.
 *
 * @throws {@link UsageError} for a view, and for a table without a primary key.
 */
export function describeTable<T extends PgTable> (table: T): TableModel<T> {
  const known = models.get(table)
  if (known !== undefined) return known as TableModel<T> // it was stored for this table
  const model = buildModel(table)
  models.set(table, model)
  return model
}

/**
 * The columns of a table by their TypeScript names, on an object without a prototype.
 *
 * @throws {@link UsageError} for a view, and for anything else that is not a table.
 */
export function columnsOf (table: PgTable): Readonly<Record<string, PgColumn>> {
  if (isEntity(table, PgTable)) return Object.assign(Object.create(null), getTableColumns(table))
  if (!isEntity(table, View)) throw new UsageError('A table made by pgTable() of drizzle-orm/pg-core is needed')
  const name = getViewName(table)
  throw new UsageError(`View "${name}" cannot be used as a table: read it through \`drizzle\``, { context: { table: name } })
}

function buildModel<T extends PgTable> (table: T): TableModel<T> {
  const columns = columnsOf(table)
  const entries = Object.entries(columns)
  const name = qualifiedName(table)
  return {
    table,
    name,
    columns,
    primaryKey: primaryKeyOf(table, { name, entries }),
    ...markedColumns(entries, name),
    generated: new Set(entries.filter(([, column]) => isGenerated(column)).map(([key]) => key))
  }
}

/** The SQL name of a table, with its schema where it has one. */
export function qualifiedName (table: PgTable): string {
  const { schema, name } = getTableConfig(table)
  return schema === undefined ? name : `${schema}.${name}`
}

function primaryKeyOf (table: PgTable, { name, entries }: { name: string, entries: ReadonlyArray<[string, PgColumn]> }): string[] {
  const declared = entries.filter(([, column]) => column.primary)
  // A composite key keeps its own order of columns. Before casing, a column has one name in Drizzle.
  const composite = getTableConfig(table).primaryKeys.flatMap(({ columns }) => columns)
    .flatMap((part) => entries.filter(([, column]) => column.name === part.name))
  const keys = [...declared, ...composite].map(([key]) => key)
  if (keys.length > 0) return keys
  throw new UsageError(`Table "${name}" has no primary key: declare one, or read it through \`drizzle\``, { context: { table: name } })
}

function isGenerated (column: PgColumn): boolean {
  return column.generated !== undefined || column.generatedIdentity?.type === 'always'
}
