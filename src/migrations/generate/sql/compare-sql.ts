/**
 * Whether the SQL of a migration does what its two snapshots say. The way back is made of the snapshots: what they say and the SQL has not done, it would undo
 * all the same, and what the SQL has done besides, it would leave.
 */
import { findDifferences } from '../snapshots/rename-candidates.js'
import { repair } from '../changes/repair-statements.js'
import { inOrder, renamed, renameStatements } from '../snapshots/rename.js'
import { factsOf, type Fact } from './sql-changes.js'
import { statementsOf, type Way } from '../changes/diff-statements.js'
import type { DrizzleKit } from '../model/drizzle-kit.js'

/** What keeps SQL and snapshots apart; as a rule nothing. */
export interface Disagreement {
  /** Changes of which only the snapshots know. */
  readonly onlySaid: readonly Fact[]
  /** Changes that only the SQL makes. */
  readonly onlyDone: readonly Fact[]
}

/** Compares what a file does with what the statements between its snapshots would do, in whatever spelling and order. */
export async function compareSql (kit: DrizzleKit, way: Way, done: readonly Fact[]): Promise<Disagreement> {
  const said = await Promise.all((await spellings(kit, way)).map((statements) => apart(factsOf(statements.join('\n--> statement-breakpoint\n')), done)))
  return said.reduce((best, other) => sizeOf(other) < sizeOf(best) ? other : best)
}

/** The statements between two snapshots: ours, and as drizzle-kit alone would write them, where it would not ask. */
async function spellings (kit: DrizzleKit, way: Way): Promise<string[][]> {
  const ours = await statementsOf(kit, way)
  const ordered = inOrder(way.renames)
  const start = ordered.reduce(renamed, way.before)
  if (findDifferences(start, way.after).length > 0) return [ours]
  const theirs = await kit.generateMigration(start, way.after)
  const renames = ordered.flatMap((rename) => renameStatements(rename))
  return [ours, [...renames, ...theirs], [...renames, ...repair(theirs, { before: start })]]
}

function apart (said: readonly Fact[], done: readonly Fact[]): Disagreement {
  return { onlySaid: without(said, done), onlyDone: without(done, said) }
}

/** Counts repetitions: a change that one side has once and the other twice is a difference. */
function without (facts: readonly Fact[], others: readonly Fact[]): Fact[] {
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
