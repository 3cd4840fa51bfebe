import { breakpoint } from '../../folder/directives.js'
import type { DrizzleKit } from '../model/drizzle-kit.js'
import { inOrder, split, type Rename } from '../snapshots/rename.js'
import { generate } from './drizzle-kit-statements.js'
import { renameAll } from './rename-all.js'
import { changeRowLevelSecurity, repair } from './repair-statements.js'
import { stops } from './intermediate-snapshots.js'
import type { Snapshot } from '../snapshots/snapshot.js'
import { withoutReadersOfViews } from './view-order.js'

/** The way from one snapshot to another. */
export interface Way {
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
export async function statementsOf (kit: DrizzleKit, { before, after, renames }: Way): Promise<string[]> {
  const ordered = inOrder(renames)
  const home = madeReady(before, after, ordered)
  const { statements: renaming, snapshot: start } = renameAll(home, after, ordered)
  const statements = [...await generate(kit, before, home), ...renaming]
  let from = start
  for (const { snapshot, statements: known } of stops(start, after)) {
    statements.push(...known ?? repair(await generate(kit, from, snapshot), { before: start }))
    from = snapshot
  }
  return [...statements, ...changeRowLevelSecurity(start, after)]
}

/** What moves into a new schema wants it to be there, and a name that a view has must be free. */
function madeReady (before: Snapshot, after: Snapshot, renames: readonly Rename[]): Snapshot {
  const names = new Set(renames.filter(({ kind }) => kind !== 'column').map(({ to }) => to))
  const moves = renames.some(({ from, to }) => split(from)[0] !== split(to)[0])
  const free = Object.fromEntries(Object.entries(before.views).filter(([key]) => !names.has(key)))
  return { ...before, views: withoutReadersOfViews(before.views, free), ...moves && { schemas: { ...after.schemas, ...before.schemas } } }
}

/** Statements as the text of a file, with the mark that those want which no transaction may hold. */
export function joined (statements: readonly string[], breakpoints = true): string {
  const text = statements.join(breakpoints ? `${breakpoint}\n` : '\n')
  return statements.some((statement) => /^(CREATE|DROP) (UNIQUE )?INDEX CONCURRENTLY /.test(statement)) ? `-- data-access: no-transaction\n${text}` : text
}
