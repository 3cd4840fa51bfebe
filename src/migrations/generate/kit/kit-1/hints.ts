import { splitKey } from '../../snapshots/rename.js'
import type { Rename } from '../../snapshots/rename.js'
import type { Hint, MissingHint } from './drizzle-kit.js'

/** The hints for renamed objects. */
export function renameHints (renames: readonly Rename[]): Hint[] {
  return renames.map(({ kind, from, to, table }) => {
    // A column is named with its table, by the table's new name.
    const path = (name: string) => kind === 'column' ? [...splitKey(table!), name] : splitKey(name)
    return { type: 'rename', kind, from: path(from), to: path(to) }
  })
}

/** The hints by which everything that drizzle-kit would ask about is new. */
export function createHints (missing: readonly MissingHint[]): Hint[] {
  return missing.map(({ kind, entity }) => ({ type: 'create', kind, entity }))
}
