/**
 * Removes the dependents of changed objects from a snapshot, so that the changes are possible. PostgreSQL refuses to change an object that others depend on, or
 * drops those with it. Neither version of drizzle-kit orders its statements by this.
 */
import { isDeepStrictEqual } from 'node:util'
import type { ColumnChange, ColumnChanges } from './column-changes.js'
import { equalEntries, mapTables, losesKey, losesPrimaryKey, sharedEntries } from '../snapshots/snapshot-parts.js'
import { referenced } from '../snapshots/rename.js'
import type { ForeignKey, Policy, Snapshot, View } from '../snapshots/snapshot.js'
import { withoutDependentViews } from './dependent-views.js'
import { enumOf, mentions } from '../snapshots/names.js'

/** The snapshots on the way to one without dependents of changed objects. Each removes only objects on which nothing in it depends. */
export function dropDependents (before: Snapshot, after: Snapshot, columnChanges: ColumnChanges): Snapshot[] {
  const unread = withoutViewsAndForeignKeys(before, after, columnChanges)
  const bare = withoutKeys(unread, after, columnChanges)
  return [unread, bare, withoutColumns(bare, columnChanges)]
}

/** A snapshot without the views, policies and foreign keys that the later snapshot lacks, or that depend on a changed object. */
function withoutViewsAndForeignKeys (before: Snapshot, after: Snapshot, columnChanges: ColumnChanges): Snapshot {
  const isAffected = readsWhatChanges(before, after, columnChanges)
  const views = keptViews(before, after, isAffected)
  const keeps = (policy: Policy, other: Policy | undefined, own?: string) => isDeepStrictEqual(policy, other) && !isAffected(`${policy.using ?? ''} ${policy.withCheck ?? ''}`, own)
  const policies = filter(before.policies, (policy, key) => keeps(policy, after.policies[key]))
  return mapTables({ ...before, views, policies }, (table, key) => {
    const other = after.tables[key]
    table.policies = filter(table.policies, (policy, name) => keeps(policy, other?.policies[name], key))
    table.foreignKeys = filter(table.foreignKeys, (foreignKey, name) => isDeepStrictEqual(foreignKey, other?.foreignKeys[name]) && !dependsOnChange(foreignKey, { before, after, columnChanges, key }))
  })
}

/** Returns a test of expressions: whether one reads a retyped or replaced column, or a recreated enum. */
function readsWhatChanges (before: Snapshot, after: Snapshot, { recreated, columns }: ColumnChanges): (expression: string, own?: string) => boolean {
  const enums = [...recreated].map((key) => before.enums[key]!.name)
  const tables = [...columns].map(([key, columnChanges]) => {
    const { name } = before.tables[key]!
    // A dropped column is in no expression of the model, except through a star, which stands for all columns.
    const wanted = [...columnChanges].filter(([, columnChange]) => columnChange !== 'gone').map(([column]) => column)
    return { key, name, wanted, changes: !isDeepStrictEqual(Object.keys(before.tables[key]!.columns).sort(), Object.keys(after.tables[key]!.columns).sort()) }
  })
  return (expression, own) => enums.some((name) => mentions(expression, name)) || tables.some(({ key, name, wanted, changes }) => {
    if (own === key) return wanted.some((column) => mentions(expression, column))
    return mentions(expression, name) && (wanted.length > 0 || (changes && expression.includes('*')))
  })
}

/** The unchanged views that read no changed object, be it through another view. */
function keptViews (before: Snapshot, after: Snapshot, isAffected: (expression: string) => boolean): Record<string, View> {
  return withoutDependentViews(before.views, filter(before.views, (view, key) => view.definition === undefined || (isSameView(view, after.views[key]) && !isAffected(view.definition))))
}

/** Compares two views without their columns, which follow from the definition. */
function isSameView (view: View, other: View | undefined): boolean {
  return other !== undefined && isDeepStrictEqual({ ...view, columns: undefined }, { ...other, columns: undefined })
}

/** Whether a foreign key depends on a change: of a column on either side, or of the key to which it refers. */
function dependsOnChange (foreignKey: ForeignKey, { before, after, columnChanges: { columns }, key }: { before: Snapshot, after: Snapshot, columnChanges: ColumnChanges, key: string }): boolean {
  const { columnsFrom, columnsTo } = foreignKey
  const target = referenced(foreignKey)
  const [a, b] = [before.tables[target], after.tables[target]]
  return columnsFrom.some((name) => columns.get(key)?.has(name)) || columnsTo.some((name) => columns.get(target)?.has(name)) || (a !== undefined && b !== undefined && losesKey(a, b))
}

/** A snapshot without the tables, keys, indexes and checks that the later snapshot lacks, or that depend on a changed object. */
function withoutKeys (before: Snapshot, after: Snapshot, { recreated, columns }: ColumnChanges): Snapshot {
  const enums = [...recreated].map((key) => before.enums[key]!.name)
  return mapTables({ ...before, tables: sharedEntries(before.tables, after.tables) }, (table, key) => {
    const other = after.tables[key]!
    const columnChanges = columns.get(key)!
    const isAffected = (expression: string | undefined) => [...columnChanges.keys(), ...enums].some((name) => mentions(expression, name))
    const has = (names: readonly string[], ...kinds: ColumnChange[]) => names.some((name) => kinds.includes(columnChanges.get(name)!))
    table.checkConstraints = filter(equalEntries(table.checkConstraints, other.checkConstraints), ({ value }) => !isAffected(value))
    table.uniqueConstraints = filter(equalEntries(table.uniqueConstraints, other.uniqueConstraints), (unique) => !has(unique.columns, 'replaced', 'gone'))
    table.indexes = filter(equalEntries(table.indexes, other.indexes), (index) => !isAffected(index.where) && !index.columns.some(({ expression, isExpression }) => isExpression ? isAffected(expression) : columnChanges.has(expression)))
    const keyColumns = [...Object.values(table.columns).filter(({ primaryKey }) => primaryKey).map(({ name }) => name), ...Object.values(table.compositePrimaryKeys).flatMap((primaryKey) => primaryKey.columns)]
    if (!losesPrimaryKey(table, other) && !has(keyColumns, 'replaced')) return
    table.compositePrimaryKeys = {}
    for (const column of Object.values(table.columns)) column.primaryKey = false
  })
}

/** A snapshot without the replaced columns, and without dropped columns that are generated or have a recreated enum. */
function withoutColumns (before: Snapshot, { recreated, columns }: ColumnChanges): Snapshot {
  return mapTables(before, (table, key) => {
    const columnChanges = columns.get(key)!
    table.columns = filter(table.columns, (column, name) => {
      const columnChange = columnChanges.get(name)
      return columnChange !== 'replaced' && !(columnChange === 'gone' && (recreated.has(enumOf(column)) || column.generated !== undefined))
    })
  })
}

function filter<Value> (group: Record<string, Value>, keeps: (value: Value, key: string) => boolean): Record<string, Value> {
  return Object.fromEntries(Object.entries(group).filter(([key, value]) => keeps(value, key)))
}
