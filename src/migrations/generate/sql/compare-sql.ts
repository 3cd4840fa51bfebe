/**
 * Checks whether the SQL of a migration matches its two snapshots. The way back is made from the snapshots: it would also undo changes that only the snapshots
 * have, and it would not undo changes that only the SQL makes.
 */
import { diffStatements } from '../changes/diff-statements.js'
import { withoutRowLevelSecurity } from '../changes/row-level-security.js'
import { findSqlChanges, type SqlChange } from './sql-changes.js'
import type { Kit } from '../kit/kit.js'
import type { Diff } from '../snapshots/diff.js'

/** The differences between SQL and snapshots; usually none. */
export interface Disagreement {
  /** Changes that only the snapshots have. */
  readonly onlySaid: readonly SqlChange[]
  /** Changes that only the SQL makes. */
  readonly onlyDone: readonly SqlChange[]
}

/** Compares the changes of a file with those of the statements between its snapshots. Spelling and order do not matter. */
export async function compareSql (kit: Kit, diff: Diff, done: readonly SqlChange[]): Promise<Disagreement> {
  const compared = await Promise.all((await possibleStatements(kit, diff)).map((statements) => differences(findSqlChanges(statements.join('\n--> statement-breakpoint\n')), done)))
  return compared.reduce((best, other) => sizeOf(other) < sizeOf(best) ? other : best)
}

/** The possible statements between two snapshots: ours, and those of drizzle-kit alone if it would ask nothing. */
async function possibleStatements (kit: Kit, diff: Diff): Promise<string[][]> {
  const theirs = await kit.generated(diff)
  return [await diffStatements(kit, diff), ...theirs, ...theirs.map((statements) => withoutRowLevelSecurity(statements, diff.before))]
}

function differences (said: readonly SqlChange[], done: readonly SqlChange[]): Disagreement {
  return { onlySaid: without(said, done), onlyDone: without(done, said) }
}

/** The changes that the others lack. A change that one side has once and the other twice is a difference. */
function without (changes: readonly SqlChange[], others: readonly SqlChange[]): SqlChange[] {
  const left = new Map<string, number>()
  for (const { text } of others) left.set(text, (left.get(text) ?? 0) + 1)
  return changes.filter(({ text }) => {
    const count = left.get(text) ?? 0
    left.set(text, count - 1)
    return count <= 0
  })
}

/** The number of differences. */
export function sizeOf ({ onlySaid, onlyDone }: Disagreement): number {
  return onlySaid.length + onlyDone.length
}
