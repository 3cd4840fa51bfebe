import { breakpoint } from '../../folder/directives.js'
import { orderRenames, splitKey, type Rename } from '../snapshots/rename.js'
import { withoutDependentViews } from './dependent-views.js'
import { intermediateSnapshots } from './intermediate-snapshots.js'
import { renameAll } from './rename-all.js'
import { alterRowLevelSecurity, withoutRowLevelSecurity } from './row-level-security.js'
import type { Kit } from '../kit/kit.js'
import type { Diff } from '../snapshots/diff.js'
import type { Snapshot } from '../snapshots/snapshot.js'

/**
 * Writes the statements that lead from one snapshot to another.
 *
 * drizzle-kit compares two snapshots in one step. For some changes it writes the statements in an order that PostgreSQL refuses, or asks about renames.
 * So the change is made in several steps, through {@link intermediateSnapshots}.
 */
export async function diffStatements (kit: Kit, { before, after, renames }: Diff): Promise<string[]> {
  const ordered = orderRenames(renames)
  const prepared = beforeRenames(before, after, ordered)
  const { statements: renaming, snapshot: start } = renameAll(prepared, after, ordered)
  const statements = [...await kit.statements(before, prepared), ...renaming]
  let from = start
  for (const { snapshot, statements: known } of intermediateSnapshots(start, after)) {
    statements.push(...known ?? withoutRowLevelSecurity(await kit.statements(from, snapshot), start))
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
