import { tablePairs } from '../snapshots/snapshot-parts.js'
import type { SqlChange } from './sql-changes.js'
import { normalizeSql } from './normalize-sql.js'
import type { Snapshot, Table } from '../snapshots/snapshot.js'
import type { Diff } from '../changes/diff-statements.js'

const groups = ['enums', 'schemas', 'sequences', 'roles', 'policies', 'views'] as const
const parts = ['columns', 'indexes', 'foreignKeys', 'compositePrimaryKeys', 'uniqueConstraints', 'policies', 'checkConstraints'] as const

/**
 * The way that a file's SQL goes, where the snapshots say more: what it never names was before it what it is behind it. So the way back touches nothing that the
 * SQL has not touched.
 */
export function reconcile ({ before, after, renames }: Diff, done: readonly SqlChange[]): Diff {
  const words = done.map(({ text }) => new Set(text.replaceAll(': ', ' ').split(' ')))
  const isNamed = (...names: string[]): boolean => {
    const written = names.map((name) => normalizeSql(`"${name}"`))
    return words.some((found) => written.every((name) => found.has(name)))
  }
  const snapshot: Snapshot = structuredClone(before)
  for (const group of groups) Object.assign(snapshot, { [group]: chosen<unknown>(before[group], after[group], (key) => isNamed(nameOf(key))) })
  snapshot.tables = chosen<Table>(before.tables, after.tables, (key) => isNamed(nameOf(key)))
  for (const [key, table, other] of tablePairs(snapshot, after)) {
    const copy: Table = { ...table }
    for (const part of parts) {
      Object.assign(copy, { [part]: chosen<unknown>(table[part], other[part], (name) => part === 'indexes' ? isNamed(name) : isNamed(table.name, name)) })
    }
    snapshot.tables[key] = copy
  }
  return { before: snapshot, after, renames }
}

/** Of each thing its state before where the file names it, and else the one behind. */
function chosen<Thing> (before: Record<string, Thing>, after: Record<string, Thing>, isNamed: (key: string) => boolean): Record<string, Thing> {
  const kept = Object.entries(before).filter(([key]) => isNamed(key))
  return Object.fromEntries([...kept, ...Object.entries(after).filter(([key]) => !isNamed(key))])
}

function nameOf (key: string): string {
  return key.slice(key.indexOf('.') + 1)
}
