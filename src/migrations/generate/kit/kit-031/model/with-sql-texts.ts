/**
 * Replaces the parts of a model that drizzle-kit 0.31 writes wrongly by SQL: values in expressions, defaults, and names in views.
 */
import { SQL, StringChunk, is, sql } from 'drizzle-orm'
import { PgPolicy, PgTable, getMaterializedViewConfig, getTableConfig, getViewConfig, isPgMaterializedView, isPgView } from 'drizzle-orm/pg-core'
import { columnDefault } from './column-default.js'
import { expressionText, type Context } from '../../texts/expression-text.js'
import { casedName } from '../../../../../drizzle/casing.js'
import { viewText, type Source } from './view-text.js'
import type { Casing } from '../../../../../drizzle/casing.js'
import type { Policy, Snapshot } from '../../../snapshots/snapshot.js'

type Parts = ReturnType<typeof partsOf>

/**
 * Calls `make`, which makes a snapshot of the model with drizzle-kit, and completes the snapshot. During the call, defaults and expressions of columns and the
 * queries of views are SQL texts; afterwards the model is as before.
 *
 * @param exported the exports of the model's modules
 * @throws {MigrationError} `DB_MIGRATION_FAILED` for a value that cannot be written into a migration; the message names table and column
 */
export function withSqlTexts (exported: readonly unknown[], casing: Casing | undefined, make: () => Snapshot): Snapshot {
  const parts = partsOf(exported)
  const restores: Array<() => void> = []
  const put = (thing: object, key: string, value: unknown): void => {
    const former: unknown = Reflect.get(thing, key)
    restores.push(() => { Reflect.set(thing, key, former) })
    Reflect.set(thing, key, value)
  }
  try {
    for (const { table, columns } of parts.tables) {
      for (const column of columns) {
        const name = `${table}.${casedName(column, casing)}`
        const { generated } = column
        put(column, 'default', columnDefault(column, { place: `The default of ${name}`, casing }))
        const as = typeof generated?.as === 'function' ? generated.as() : generated?.as
        if (generated !== undefined && is(as, SQL)) put(generated, 'as', sql.raw(expressionText(as, { place: `The expression of ${name}`, casing })))
      }
    }
    for (const { name, query } of parts.views) {
      // A view is a proxy that returns copies of everything except its query.
      if (query !== undefined) put(query, 'queryChunks', [new StringChunk(viewText(query, parts.sources, { place: `The view ${name}`, casing }))])
    }
    const made = make()
    complete(made, parts, casing)
    return made
  } finally {
    for (const restore of restores.reverse()) restore()
  }
}

function partsOf (exported: readonly unknown[]) {
  const tables = exported.filter((value) => is(value, PgTable)).map((table) => {
    const { name, schema = 'public', columns, ...rest } = getTableConfig(table)
    return { ...rest, columns, name, table: schema === 'public' ? name : `${schema}.${name}`, key: `${schema}.${name}` }
  })
  const views = [...exported.filter((value) => isPgView(value)).map((view) => getViewConfig(view)), ...exported.filter((value) => isPgMaterializedView(value)).map((view) => getMaterializedViewConfig(view))]
  const sources: Source[] = [
    ...tables.map(({ name, columns }) => ({ name, fields: columns })),
    ...views.map(({ name, selectedFields }) => ({ name, fields: Object.values(selectedFields) }))
  ]
  return { tables, views, sources, policies: exported.filter((value) => is(value, PgPolicy)) }
}

/** Writes checks, indexes and policies into the snapshot. Tables create these anew at each access, so the model cannot hold them as text. */
function complete (made: Snapshot, { tables, policies }: Parts, casing: Casing | undefined): void {
  for (const { key, table, name: tableName, indexes, checks, policies: own } of tables) {
    const noted = made.tables[key]!
    for (const { name, value } of checks) noted.checkConstraints[name]!.value = expressionText(value, { place: `The check ${name} of ${table}`, casing })
    for (const { config: { name, columns, where } } of indexes) {
      // drizzle-kit accepts an expression only in an index that has a name.
      const indexName = name ?? `${tableName}_${columns.map((column) => casedName(column as { name: string, keyAsName: boolean }, casing)).join('_')}_index`
      const index = noted.indexes[indexName]!
      const place = `The index ${indexName} of ${table}`
      if (where !== undefined) index.where = expressionText(where, { place, casing })
      for (const [position, column] of columns.entries()) if (is(column, SQL)) index.columns[position]!.expression = expressionText(column, { place, casing, isIndexed: true })
    }
    for (const policy of own) Object.assign(noted.policies[policy.name]!, policyTexts(policy, { place: `The policy ${policy.name} of ${table}`, casing }))
  }
  for (const policy of policies) {
    // drizzle-kit puts a policy linked to a table of the model into that table, and leaves out a policy without a table.
    const noted = [made.policies, ...Object.values(made.tables).map((table) => table.policies)].map((group) => group[policy.name]).find((found) => found !== undefined)
    if (noted !== undefined) Object.assign(noted, policyTexts(policy, { place: `The policy ${policy.name}`, casing }))
  }
}

function policyTexts ({ using, withCheck }: PgPolicy, context: Context): Partial<Policy> {
  return { ...using !== undefined && { using: expressionText(using, context) }, ...withCheck !== undefined && { withCheck: expressionText(withCheck, context) } }
}
