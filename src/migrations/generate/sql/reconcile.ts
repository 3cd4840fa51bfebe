import { tablePairs } from '../snapshots/snapshot-parts.js'
import type { SqlChange } from './sql-changes.js'
import { normalizeSql } from './normalize-sql.js'
import type { Snapshot, Table } from '../snapshots/snapshot.js'
import type { Diff } from '../snapshots/diff.js'

const groups = ['enums', 'schemas', 'sequences', 'roles', 'policies', 'views'] as const
const parts = ['columns', 'indexes', 'foreignKeys', 'compositePrimaryKeys', 'uniqueConstraints', 'policies', 'checkConstraints'] as const

/**
 * Reduces the difference between two snapshots to the objects that a file's SQL names. Any other object counts as unchanged, so the way back does not touch it.
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

/** The earlier state of each object that the file names, and the later state of every other. */
function chosen<Part> (before: Record<string, Part>, after: Record<string, Part>, isNamed: (key: string) => boolean): Record<string, Part> {
  const kept = Object.entries(before).filter(([key]) => isNamed(key))
  return Object.fromEntries([...kept, ...Object.entries(after).filter(([key]) => !isNamed(key))])
}

function nameOf (key: string): string {
  return key.slice(key.indexOf('.') + 1)
}
