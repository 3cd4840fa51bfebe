import { breakpoint } from '../../folder/directives.js'
import type { DrizzleKit } from '../model/drizzle-kit.js'
import { orderRenames, splitKey, type Rename } from '../snapshots/rename.js'
import { drizzleKitStatements } from './drizzle-kit-statements.js'
import { renameAll } from './rename-all.js'
import { alterRowLevelSecurity, repairStatements } from './repair-statements.js'
import { intermediateSnapshots } from './intermediate-snapshots.js'
import type { Snapshot } from '../snapshots/snapshot.js'
import { withoutDependentViews } from './view-order.js'

/** The way from one snapshot to another. */
export interface Diff {
  readonly before: Snapshot
  readonly after: Snapshot
  /** What goes on under another name; everything else that came is new, and everything else that went is dropped. */
  readonly renames: readonly Rename[]
}

/**
 * The statements that lead from one snapshot to another: drizzle-kit's, where it does well.
 *
 * drizzle-kit compares two snapshots in one go, and there are changes whose statements it puts into an order in which PostgreSQL refuses them, or about which it asks.
 * So the way goes by snapshots between the two.
 */
export async function diffStatements (kit: DrizzleKit, { before, after, renames }: Diff): Promise<string[]> {
  const ordered = orderRenames(renames)
  const home = beforeRenames(before, after, ordered)
  const { statements: renaming, snapshot: start } = renameAll(home, after, ordered)
  const statements = [...await drizzleKitStatements(kit, before, home), ...renaming]
  let from = start
  for (const { snapshot, statements: known } of intermediateSnapshots(start, after)) {
    statements.push(...known ?? repairStatements(await drizzleKitStatements(kit, from, snapshot), { before: start }))
    from = snapshot
  }
  return [...statements, ...alterRowLevelSecurity(start, after)]
}

/** What moves into a new schema wants it to be there, and a name that a view has must be free. */
function beforeRenames (before: Snapshot, after: Snapshot, renames: readonly Rename[]): Snapshot {
  const names = new Set(renames.filter(({ kind }) => kind !== 'column').map(({ to }) => to))
  const moves = renames.some(({ from, to }) => splitKey(from)[0] !== splitKey(to)[0])
  const free = Object.fromEntries(Object.entries(before.views).filter(([key]) => !names.has(key)))
  return { ...before, views: withoutDependentViews(before.views, free), ...moves && { schemas: { ...after.schemas, ...before.schemas } } }
}

/** Statements as the text of a file, with the mark that those want which no transaction may hold. */
export function sqlText (statements: readonly string[], breakpoints = true): string {
  const text = statements.join(breakpoints ? `${breakpoint}\n` : '\n')
  return statements.some((statement) => /^(CREATE|DROP) (UNIQUE )?INDEX CONCURRENTLY /.test(statement)) ? `-- data-access: no-transaction\n${text}` : text
}
