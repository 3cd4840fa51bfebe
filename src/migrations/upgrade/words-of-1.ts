import { quotedName } from '../generate/snapshots/names.js'
import type { Snapshot, Table } from '../generate/snapshots/snapshot.js'

/**
 * A snapshot of 0.31 in the words of 1.0. Both versions mean the same by them, but `drizzle-kit up` keeps those of 0.31, and the next comparison with the
 * tables would find changes: `timestamp (3)` is `timestamp(3)` in 1.0, and conditions name columns without their table.
 */
export function inWordsOf1 (snapshot: Snapshot): Snapshot {
  return { ...snapshot, tables: mapValues(snapshot.tables, tableIn1) }
}

function tableIn1 (table: Table): Table {
  const withoutTable = (condition: string): string => condition.replaceAll(`${quotedName(table)}.`, '')
  return {
    ...table,
    columns: mapValues(table.columns, (column) => ({ ...column, type: column.type.replace(/^timestamp \((\d)\)/, 'timestamp($1)') })),
    indexes: mapValues(table.indexes, ({ where, ...index }) => where === undefined ? index : { ...index, where: withoutTable(where) }),
    checkConstraints: mapValues(table.checkConstraints, (check) => ({ ...check, value: withoutTable(check.value) }))
  }
}

function mapValues<Value> (values: Readonly<Record<string, Value>>, fn: (value: Value) => Value): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, fn(value)]))
}
