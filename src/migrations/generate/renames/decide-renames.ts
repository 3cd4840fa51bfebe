import { MigrationError } from '../../../errors/errors.js'
import { findRenameCandidates, type RenameCandidates } from '../snapshots/rename-candidates.js'
import type { Snapshot } from '../snapshots/snapshot.js'
import { applyRename, type Rename } from '../snapshots/rename.js'

/** Something new that may be something old under another name. Columns are named with their table: `users.name`. */
export interface Question {
  readonly kind: Rename['kind']
  /** What is new. */
  readonly added: string
  /** What went, and has no new name yet; at least one. */
  readonly gone: readonly string[]
}

/** Says which of those that went goes on as the new one; `undefined` where it is new. */
export type Decide = (question: Question) => Promise<string | undefined>

/** Which tables, enums, sequences and columns go on under another name: asks about each one that is new where another one went. */
export async function decideRenames (before: Snapshot, after: Snapshot, decide: Decide): Promise<Rename[]> {
  const others: Rename[] = []
  for (const kind of ['enum', 'sequence', 'table'] as const) others.push(...await decideKind(findRenameCandidates(before, after), kind, decide))
  // Which columns came and went shows when tables have their new names.
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

/** Takes the answers from a list of old and new names; what is not in the list is new. */
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
        `Nothing is renamed from ${from} to ${String(renames[from])}: one has to be gone from the model, and the other new in it. Columns are named with their table, by its new name: users.name`,
        'DB_MIGRATION_AMBIGUOUS'
      )
    }
  }
}

/** Where nobody can be asked. */
export function refuseToDecide ({ kind, added, gone }: Question): Promise<never> {
  const [first] = gone
  return Promise.reject(new MigrationError(
    `The ${kind} ${added} is new and ${gone.join(', ')} is gone, and nobody is here to say whether that is a new name: ` +
    `--rename ${first}=${added} (renames: { '${first}': '${added}' }) keeps what is in it, --no-renames (renames: {}) drops the old and makes the new`,
    'DB_MIGRATION_AMBIGUOUS'
  ))
}

function plainName (key: string): string {
  return key.replace(/^public\./, '')
}
