/**
 * Whether the SQL of a migration does what its two snapshots say. The way back is made of the snapshots: what they say and the SQL has not done, it would undo
 * all the same, and what the SQL has done besides, it would leave.
 */
import { findRenameCandidates } from '../snapshots/rename-candidates.js'
import { repairStatements } from '../changes/repair-statements.js'
import { orderRenames, applyRename, renameStatements } from '../snapshots/rename.js'
import { findSqlChanges, type SqlChange } from './sql-changes.js'
import { diffStatements, type Diff } from '../changes/diff-statements.js'
import type { DrizzleKit } from '../model/drizzle-kit.js'

/** What keeps SQL and snapshots apart; as a rule nothing. */
export interface Disagreement {
  /** Changes of which only the snapshots know. */
  readonly onlySaid: readonly SqlChange[]
  /** Changes that only the SQL makes. */
  readonly onlyDone: readonly SqlChange[]
}

/** Compares what a file does with what the statements between its snapshots would do, in whatever spelling and order. */
export async function compareSql (kit: DrizzleKit, diff: Diff, done: readonly SqlChange[]): Promise<Disagreement> {
  const said = await Promise.all((await spellings(kit, diff)).map((statements) => apart(findSqlChanges(statements.join('\n--> statement-breakpoint\n')), done)))
  return said.reduce((best, other) => sizeOf(other) < sizeOf(best) ? other : best)
}

/** The statements between two snapshots: ours, and as drizzle-kit alone would write them, where it would not ask. */
async function spellings (kit: DrizzleKit, diff: Diff): Promise<string[][]> {
  const ours = await diffStatements(kit, diff)
  const ordered = orderRenames(diff.renames)
  const start = ordered.reduce(applyRename, diff.before)
  if (findRenameCandidates(start, diff.after).length > 0) return [ours]
  const theirs = await kit.generateMigration(start, diff.after)
  const renames = ordered.flatMap((rename) => renameStatements(rename))
  return [ours, [...renames, ...theirs], [...renames, ...repairStatements(theirs, { before: start })]]
}

function apart (said: readonly SqlChange[], done: readonly SqlChange[]): Disagreement {
  return { onlySaid: without(said, done), onlyDone: without(done, said) }
}

/** Counts repetitions: a change that one side has once and the other twice is a difference. */
function without (facts: readonly SqlChange[], others: readonly SqlChange[]): SqlChange[] {
  const left = new Map<string, number>()
  for (const { text } of others) left.set(text, (left.get(text) ?? 0) + 1)
  return facts.filter(({ text }) => {
    const count = left.get(text) ?? 0
    left.set(text, count - 1)
    return count <= 0
  })
}

function sizeOf ({ onlySaid, onlyDone }: Disagreement): number {
  return onlySaid.length + onlyDone.length
}
