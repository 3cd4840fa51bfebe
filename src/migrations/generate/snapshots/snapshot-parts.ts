import { isDeepStrictEqual } from 'node:util'
import type { Index, Snapshot, Table } from './snapshot.js'

/** Copies a snapshot and changes each table of the copy. */
export function mapTables (snapshot: Snapshot, change: (table: Table, key: string) => void): Snapshot {
  const copy = structuredClone(snapshot)
  for (const [key, table] of Object.entries(copy.tables)) change(table, key)
  return copy
}

/** Whether a table loses a key to which foreign keys may refer. */
export function losesKey (table: Table, other: Table): boolean {
  const uniques = (indexes: Record<string, Index>) => Object.fromEntries(Object.entries(indexes).filter(([, index]) => index.isUnique))
  return lacksAny(table.uniqueConstraints, other.uniqueConstraints) || lacksAny(uniques(table.indexes), other.indexes) || !isDeepStrictEqual(primaryKey(table), primaryKey(other))
}

/** Whether a table loses its primary key, or gets another one. */
export function losesPrimaryKey (table: Table, other: Table): boolean {
  const before = primaryKey(table)
  return before.length > 0 && !isDeepStrictEqual(before, primaryKey(other))
}

/** The columns of a table's primary key. */
export function primaryKey (table: Table): string[] {
  const columns = Object.values(table.columns).filter((column) => column.primaryKey).map(({ name }) => name)
  return [...columns, ...Object.values(table.compositePrimaryKeys).flatMap((key) => key.columns)]
}

/** Whether the second group lacks an entry of the first, or has a different one under its name. */
export function lacksAny (group: Record<string, unknown>, others: Record<string, unknown>): boolean {
  return Object.entries(group).some(([key, value]) => !isDeepStrictEqual(value, others[key]))
}

/** The entries that are equal in both groups. */
export function equalEntries<Value> (group: Record<string, Value>, others: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(group).filter(([key, value]) => isDeepStrictEqual(value, others[key])))
}

/** The entries of the first group whose keys the second has, too. */
export function sharedEntries<Value> (group: Record<string, Value>, others: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(group).filter(([key]) => Object.hasOwn(others, key)))
}

/** The tables that both have, by key. */
export function tablePairs (before: Snapshot, after: Snapshot) {
  return Object.entries(before.tables).flatMap(([key, table]) => {
    const other = after.tables[key]
    return other === undefined ? [] : [[key, table, other] as const]
  })
}
