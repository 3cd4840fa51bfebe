import { isDeepStrictEqual } from 'node:util'
import { tablePairs } from '../snapshots/snapshot-parts.js'
import type { Column, Enum, Snapshot } from '../snapshots/snapshot.js'
import { catalogueType, enumOf, mentions } from '../snapshots/names.js'

/** How a column changes: another type, dropped and added again, or dropped. */
export type ColumnChange = 'retyped' | 'replaced' | 'gone'

/** The changes of enums and columns on which other objects may depend. */
export interface ColumnChanges {
  /** The keys of enums that are created anew. */
  readonly recreated: ReadonlySet<string>
  /** The changes by the key of the table and the name of the column. Unchanged columns are left out. */
  readonly columns: ReadonlyMap<string, ReadonlyMap<string, ColumnChange>>
}

/** Finds the changes of the enums and columns that both snapshots have, or only the first. */
export function findColumnChanges (before: Snapshot, after: Snapshot): ColumnChanges {
  const recreated = recreatedEnums(before, after)
  const names = [...recreated].map((key) => before.enums[key]!.name)
  const columns = tablePairs(before, after).map(([key, a, b]) => {
    const columnChanges = new Map<string, ColumnChange>()
    for (const column of Object.values(a.columns)) {
      const columnChange = columnChangeOf(column, b.columns[column.name], recreated)
      if (columnChange !== undefined) columnChanges.set(column.name, columnChange)
    }
    // A generated column depends on the columns in its expression, which are never generated themselves.
    const moved = [...names, ...columnChanges.keys()]
    for (const { name, generated } of Object.values(a.columns)) {
      if (b.columns[name]?.generated !== undefined && moved.some((other) => mentions(generated?.as, other))) columnChanges.set(name, 'replaced')
    }
    return [key, columnChanges] as const
  })
  return { recreated, columns: new Map(columns) }
}

function columnChangeOf (column: Column, other: Column | undefined, recreated: ReadonlySet<string>): ColumnChange | undefined {
  if (other === undefined) return 'gone'
  const isRetyped = catalogueType(column) !== catalogueType(other) || column.typeSchema !== other.typeSchema || recreated.has(enumOf(column))
  if (other.generated !== undefined && (isRetyped || column.generated?.as !== other.generated.as)) return 'replaced'
  return isRetyped ? 'retyped' : undefined
}

/**
 * The enums that `ADD VALUE` cannot change. PostgreSQL cannot remove or move a value. It also refuses any use of a new value before the transaction that
 * added it has ended. A default in the same file would use it too early, and so would a later file when drizzle-kit applies several in one transaction.
 */
function recreatedEnums (before: Snapshot, after: Snapshot): Set<string> {
  const uses = newTexts(before, after)
  return new Set(Object.entries(before.enums).filter(([key, type]) => {
    const other = after.enums[key]
    return other !== undefined && (losesOrder(type, other) || other.values.some((value) => !type.values.includes(value) && uses.some((use) => use.includes(value))))
  }).map(([key]) => key))
}

function losesOrder (type: Enum, other: Enum): boolean {
  return !isDeepStrictEqual(type.values, other.values.filter((value) => type.values.includes(value)))
}

/** The expressions that only the second snapshot has. */
function newTexts (before: Snapshot, after: Snapshot): string[] {
  const former = new Set(textsOf(before))
  return textsOf(after).filter((text) => !former.has(text))
}

function textsOf ({ tables, views, policies }: Snapshot): string[] {
  const texts = Object.values(tables).flatMap((table) => [
    ...Object.values(table.columns).flatMap((column) => [column.default === undefined ? undefined : `${table.name}.${column.name} ${String(column.default)}`, column.generated?.as]),
    ...Object.values(table.checkConstraints).map(({ value }) => value),
    ...Object.values(table.indexes).flatMap(({ where, columns }) => [where, ...columns.map(({ expression }) => expression)]),
    ...Object.values(table.policies).flatMap(({ using, withCheck }) => [using, withCheck])
  ])
  const others = [...Object.values(views).map(({ definition }) => definition), ...Object.values(policies).flatMap(({ using, withCheck }) => [using, withCheck])]
  return [...texts, ...others].filter((text) => text !== undefined)
}
