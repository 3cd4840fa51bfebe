import { breakpoint } from '../../folder/directives.js'
import type { DrizzleKit } from '../model/drizzle-kit.js'
import { orderRenames, splitKey, type Rename } from '../snapshots/rename.js'
import { drizzleKitStatements } from './drizzle-kit-statements.js'
import { renameAll } from './rename-all.js'
import { alterRowLevelSecurity, repairStatements } from './repair-statements.js'
import { intermediateSnapshots } from './intermediate-snapshots.js'
import type { Snapshot } from '../snapshots/snapshot.js'
import { withoutDependentViews } from './view-order.js'

/** Two snapshots, and the renames between them. */
export interface Diff {
  readonly before: Snapshot
  readonly after: Snapshot
  /** The objects that were renamed. Everything else that is new is created, and everything else that is gone is dropped. */
  readonly renames: readonly Rename[]
}

/**
 * Writes the statements that lead from one snapshot to another.
 *
 * drizzle-kit 0.31 compares two snapshots in one step. For some changes it writes the statements in an order that PostgreSQL refuses, or asks about renames.
 * So the change is made in several steps, through {@link intermediateSnapshots}.
 */
export async function diffStatements (kit: DrizzleKit, { before, after, renames }: Diff): Promise<string[]> {
  const ordered = orderRenames(renames)
  const prepared = beforeRenames(before, after, ordered)
  const { statements: renaming, snapshot: start } = renameAll(prepared, after, ordered)
  const statements = [...await drizzleKitStatements(kit, before, prepared), ...renaming]
  let from = start
  for (const { snapshot, statements: known } of intermediateSnapshots(start, after)) {
    statements.push(...known ?? repairStatements(await drizzleKitStatements(kit, from, snapshot), { before: start }))
    from = snapshot
  }
  return [...statements, ...alterRowLevelSecurity(start, after)]
}

/** The snapshot in which the renames are possible: new schemas exist, and no view has a new name. */
function beforeRenames (before: Snapshot, after: Snapshot, renames: readonly Rename[]): Snapshot {
  const names = new Set(renames.filter(({ kind }) => kind !== 'column').map(({ to }) => to))
  const moves = renames.some(({ from, to }) => splitKey(from)[0] !== splitKey(to)[0])
  const free = Object.fromEntries(Object.entries(before.views).filter(([key]) => !names.has(key)))
  return { ...before, views: withoutDependentViews(before.views, free), ...moves && { schemas: { ...after.schemas, ...before.schemas } } }
}

/** Statements as the text of a file. A concurrent index adds the directive `no-transaction`. */
export function sqlText (statements: readonly string[], breakpoints = true): string {
  const text = statements.join(breakpoints ? `${breakpoint}\n` : '\n')
  return statements.some((statement) => /^(CREATE|DROP) (UNIQUE )?INDEX CONCURRENTLY /.test(statement)) ? `-- data-access: no-transaction\n${text}` : text
}
