import { MigrationError } from '../../../errors/errors.js'
import { findRenameCandidates, type RenameCandidates } from '../snapshots/rename-candidates.js'
import type { Snapshot } from '../snapshots/snapshot.js'
import { applyRename, type Rename } from '../snapshots/rename.js'

/** A new object that may be a renamed old one. Columns are named with their table: `users.name`. */
export interface Question {
  readonly kind: Rename['kind']
  /** The new object. */
  readonly added: string
  /** The objects that are gone and not yet renamed; at least one. */
  readonly gone: readonly string[]
}

/** Returns the old name of the new object; `undefined` if it was not renamed. */
export type Decide = (question: Question) => Promise<string | undefined>

/** Finds the renamed tables, enums, sequences and columns. It asks about each new object where another of its kind is gone. */
export async function decideRenames (before: Snapshot, after: Snapshot, decide: Decide): Promise<Rename[]> {
  const others: Rename[] = []
  for (const kind of ['enum', 'sequence', 'table'] as const) others.push(...await decideKind(findRenameCandidates(before, after), kind, decide))
  // Columns are compared after their tables have the new names.
  const columns = await decideKind(findRenameCandidates(others.reduce(applyRename, before), after), 'column', decide)
  return [...others, ...columns]
}

async function decideKind (differences: readonly RenameCandidates[], wanted: Rename['kind'], decide: Decide): Promise<Rename[]> {
  const renames: Rename[] = []
  for (const { kind, table, added, gone } of differences) {
    if (kind !== wanted) continue
    const label = (name: string) => plainName(table === undefined ? name : `${table}.${name}`)
    const left = new Map(gone.map((name) => [label(name), name]))
    for (const to of added) {
      if (left.size === 0) break
      const answer = await decide({ kind, added: label(to), gone: [...left.keys()] })
      if (answer === undefined) continue
      renames.push({ kind, from: left.get(answer)!, to, ...table !== undefined && { table } })
      left.delete(answer)
    }
  }
  return renames
}

/** Decides by a list of old and new names. Any other new object was not renamed. */
export function decideByList (renames: Readonly<Record<string, string>>): { decide: Decide, finish: () => void } {
  const used = new Set<string>()
  return {
    async decide ({ added, gone }) {
      const from = gone.find((name) => Object.hasOwn(renames, name) && renames[name] === added)
      if (from !== undefined) used.add(from)
      return from
    },
    finish () {
      const [from] = Object.keys(renames).filter((name) => !used.has(name))
      if (from === undefined) return
      throw new MigrationError(
        `${from} was not renamed to ${String(renames[from])}: the old name must be gone from the model, and the new name must be new in it. Columns are named with their table, by its new name: users.name`,
        'DB_MIGRATION_AMBIGUOUS'
      )
    }
  }
}

/** Refuses to decide without a list and without a terminal. */
export function refuseToDecide ({ kind, added, gone }: Question): Promise<never> {
  const [first] = gone
  return Promise.reject(new MigrationError(
    `The ${kind} ${added} is new and ${gone.join(', ')} is gone, and there is no terminal to ask whether it was renamed: ` +
    `--rename ${first}=${added} (renames: { '${first}': '${added}' }) keeps its contents, --no-renames (renames: {}) drops the old and creates the new`,
    'DB_MIGRATION_AMBIGUOUS'
  ))
}

function plainName (key: string): string {
  return key.replace(/^public\./, '')
}
