/**
 * Replaces the parts of a model that drizzle-kit 1.0 writes wrongly by SQL: some defaults, and values in expressions, for which it writes `$1` in defaults,
 * generated columns, policies and views.
 */
import { SQL, is } from 'drizzle-orm'
import {
  CheckBuilder, IndexBuilder, PgPolicy, PgTable, getMaterializedViewConfig, getTableConfig, getViewConfig, isPgMaterializedView, isPgView
} from 'drizzle-orm/pg-core'
import { overlay, overlayTable, overlayView } from '../../../../drizzle/overlay.js'
import { withLiterals } from '../texts/expression-text.js'
import { columnDefault } from './column-default.js'
import type { PgColumn } from 'drizzle-orm/pg-core'

/**
 * The values of a model, with copies of those that need another text. The model itself stays as it is.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` for a value that cannot be written into a migration; the message names table and column
 */
export function withSqlTexts (values: readonly unknown[]): unknown[] {
  return values.map((value) => {
    if (is(value, PgTable)) return tableWithTexts(value)
    if (is(value, PgPolicy)) return policyWithTexts(value, `The policy ${value.name}`)
    if (isPgView(value)) return viewWithText(value, getViewConfig(value))
    if (isPgMaterializedView(value)) return viewWithText(value, getMaterializedViewConfig(value))
    return value
  })
}

function tableWithTexts (table: PgTable): PgTable {
  const { name: bare, schema = 'public' } = getTableConfig(table)
  const name = schema === 'public' ? bare : `${schema}.${bare}`
  const copy = overlayTable(table, { column: (column) => columnWithTexts(column, `${name}.${column.name}`), extra: (extra) => extraWithTexts(extra, name) })
  // Builds the extras once, so that an error about them is thrown here rather than inside drizzle-kit.
  getTableConfig(copy)
  return copy
}

function columnWithTexts (column: PgColumn, name: string): PgColumn {
  const { generated } = column
  const as: unknown = typeof generated?.as === 'function' ? generated.as() : generated?.as
  return overlay(column, {
    default: columnDefault(column, `The default of ${name}`),
    ...is(as, SQL) && { generated: { ...generated, as: literally(as, `The expression of ${name}`) } }
  })
}

/** An index, a check or a policy of a table. A key has no expressions. */
function extraWithTexts (extra: object, table: string): object {
  if (is(extra, CheckBuilder)) return overlay(extra, { value: literally(extra.value, `The check ${extra.name} of ${table}`, true) })
  if (is(extra, PgPolicy)) return policyWithTexts(extra, `The policy ${extra.name} of ${table}`)
  return is(extra, IndexBuilder) ? indexWithTexts(extra, table) : extra
}

function indexWithTexts (index: IndexBuilder, table: string): IndexBuilder {
  const config: { readonly name?: string, readonly columns: readonly unknown[], readonly where?: SQL } = Reflect.get(index, 'config')
  const place = `The index ${config.name ?? `on ${config.columns.map((column) => String(Reflect.get(Object(column), 'name'))).join(', ')}`} of ${table}`
  return overlay(index, {
    config: {
      ...config,
      columns: config.columns.map((column) => is(column, SQL) ? literally(column, place, true) : column),
      ...config.where !== undefined && { where: literally(config.where, place, true) }
    }
  })
}

function policyWithTexts (policy: PgPolicy, place: string): PgPolicy {
  const { using, withCheck } = policy
  return overlay(policy, {
    ...using !== undefined && { using: literally(using, place) },
    ...withCheck !== undefined && { withCheck: literally(withCheck, place) }
  })
}

function viewWithText<View extends object> (view: View, { name, query }: { readonly name: string, readonly query: SQL | undefined }): View {
  return query === undefined ? view : overlayView(view, literally(query, `The view ${name}`))
}

function literally (expression: SQL, place: string, isIndexed = false): SQL {
  return withLiterals(expression, { place, casing: undefined, isIndexed })
}
