import { isDeepStrictEqual } from 'node:util'
import type { ColumnChange, ColumnChanges } from './column-changes.js'
import { equalEntries, mapTables, losesKey, losesPrimaryKey, sharedEntries } from '../snapshots/snapshot-parts.js'
import { referenced } from '../snapshots/rename.js'
import type { ForeignKey, Policy, Snapshot, View } from '../snapshots/snapshot.js'
import { withoutDependentViews } from './view-order.js'
import { enumOf, mentions } from '../snapshots/names.js'

// PostgreSQL lets nobody change what others hold on to, or takes those with it. They are lifted first, and come back when all is as they need it.

/** Snapshots on the way to one without all that is in the way: each leaves out what nothing in it needs any more. */
export function dropDependents (before: Snapshot, after: Snapshot, columnChanges: ColumnChanges): Snapshot[] {
  const free = withoutViewsAndForeignKeys(before, after, columnChanges)
  const bare = withoutKeys(free, after, columnChanges)
  return [free, bare, withoutColumns(bare, columnChanges)]
}

/** Without the views, policies and foreign keys that the later snapshot does not have, or that hold on to what changes. */
function withoutViewsAndForeignKeys (before: Snapshot, after: Snapshot, columnChanges: ColumnChanges): Snapshot {
  const isInTheWay = readsWhatChanges(before, after, columnChanges)
  const views = keptViews(before, after, isInTheWay)
  const keeps = (policy: Policy, other: Policy | undefined, own?: string) => isDeepStrictEqual(policy, other) && !isInTheWay(`${policy.using ?? ''} ${policy.withCheck ?? ''}`, own)
  const policies = filter(before.policies, (policy, key) => keeps(policy, after.policies[key]))
  return mapTables({ ...before, views, policies }, (table, key) => {
    const other = after.tables[key]
    table.policies = filter(table.policies, (policy, name) => keeps(policy, other?.policies[name], key))
    table.foreignKeys = filter(table.foreignKeys, (foreignKey, name) => isDeepStrictEqual(foreignKey, other?.foreignKeys[name]) && !dependsOnChange(foreignKey, { before, after, columnChanges, key }))
  })
}

/** Tells an expression that reads a column whose type changes, or that is replaced, or an enum that is made anew. */
function readsWhatChanges (before: Snapshot, after: Snapshot, { recreated, columns }: ColumnChanges): (expression: string, own?: string) => boolean {
  const enums = [...recreated].map((key) => before.enums[key]!.name)
  const tables = [...columns].map(([key, columnChanges]) => {
    const { name } = before.tables[key]!
    // What goes from the model is in none of its expressions; a star stands for all that there is.
    const wanted = [...columnChanges].filter(([, columnChange]) => columnChange !== 'gone').map(([column]) => column)
    return { key, name, wanted, changes: !isDeepStrictEqual(Object.keys(before.tables[key]!.columns).sort(), Object.keys(after.tables[key]!.columns).sort()) }
  })
  return (expression, own) => enums.some((name) => mentions(expression, name)) || tables.some(({ key, name, wanted, changes }) => {
    if (own === key) return wanted.some((column) => mentions(expression, column))
    return mentions(expression, name) && (wanted.length > 0 || (changes && expression.includes('*')))
  })
}

/** A view reads tables and other views. */
function keptViews (before: Snapshot, after: Snapshot, isInTheWay: (expression: string) => boolean): Record<string, View> {
  return withoutDependentViews(before.views, filter(before.views, (view, key) => view.definition === undefined || (isSameView(view, after.views[key]) && !isInTheWay(view.definition))))
}

/** The columns of a view follow from its definition. */
function isSameView (view: View, other: View | undefined): boolean {
  return other !== undefined && isDeepStrictEqual({ ...view, columns: undefined }, { ...other, columns: undefined })
}

/** A foreign key stands and falls with the types of its columns on both sides, and with the key that it refers to. */
function dependsOnChange (foreignKey: ForeignKey, { before, after, columnChanges: { columns }, key }: { before: Snapshot, after: Snapshot, columnChanges: ColumnChanges, key: string }): boolean {
  const { columnsFrom, columnsTo } = foreignKey
  const target = referenced(foreignKey)
  const [a, b] = [before.tables[target], after.tables[target]]
  return columnsFrom.some((name) => columns.get(key)?.has(name)) || columnsTo.some((name) => columns.get(target)?.has(name)) || (a !== undefined && b !== undefined && losesKey(a, b))
}

/** Without the tables, keys, indexes and checks that the later snapshot does not have, or that hold on to what changes. */
function withoutKeys (before: Snapshot, after: Snapshot, { recreated, columns }: ColumnChanges): Snapshot {
  const enums = [...recreated].map((key) => before.enums[key]!.name)
  return mapTables({ ...before, tables: sharedEntries(before.tables, after.tables) }, (table, key) => {
    const other = after.tables[key]!
    const columnChanges = columns.get(key)!
    const isWanted = (expression: string | undefined) => [...columnChanges.keys(), ...enums].some((name) => mentions(expression, name))
    const has = (names: readonly string[], ...kinds: ColumnChange[]) => names.some((name) => kinds.includes(columnChanges.get(name)!))
    table.checkConstraints = filter(equalEntries(table.checkConstraints, other.checkConstraints), ({ value }) => !isWanted(value))
    table.uniqueConstraints = filter(equalEntries(table.uniqueConstraints, other.uniqueConstraints), (unique) => !has(unique.columns, 'replaced', 'gone'))
    table.indexes = filter(equalEntries(table.indexes, other.indexes), (index) => !isWanted(index.where) && !index.columns.some(({ expression, isExpression }) => isExpression ? isWanted(expression) : columnChanges.has(expression)))
    const keyColumns = [...Object.values(table.columns).filter(({ primaryKey }) => primaryKey).map(({ name }) => name), ...Object.values(table.compositePrimaryKeys).flatMap((primaryKey) => primaryKey.columns)]
    if (!losesPrimaryKey(table, other) && !has(keyColumns, 'replaced')) return
    table.compositePrimaryKeys = {}
    for (const column of Object.values(table.columns)) column.primaryKey = false
  })
}

/** Without the columns that are replaced, and without those that would have to be turned into something else first, or hold on to others, and go anyway. */
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
