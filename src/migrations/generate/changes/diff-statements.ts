import { breakpoint } from '../../folder/directives.js'
import type { DrizzleKit } from '../model/drizzle-kit.js'
import { inOrder, renamed, renameStatements, split, type Rename } from '../snapshots/rename.js'
import { generate } from './opaque.js'
import { changeRowLevelSecurity, repair } from './repair-statements.js'
import { stops } from './intermediate-snapshots.js'
import type { Snapshot } from '../snapshots/snapshot.js'

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
  // What moves into a new schema wants it to be there.
  const home = ordered.some(({ from, to }) => split(from)[0] !== split(to)[0]) ? { ...before, schemas: { ...after.schemas, ...before.schemas } } : before
  const start = ordered.reduce(renamed, home)
  const statements = [...home === before ? [] : await kit.generateMigration(before, home), ...ordered.flatMap(renameStatements)]
  let from = start
  for (const { snapshot, statements: known } of stops(start, after)) {
    statements.push(...known ?? repair(await generate(kit, from, snapshot), { before: start }))
    from = snapshot
  }
  return [...statements, ...changeRowLevelSecurity(start, after)]
}

/** Statements as the text of a file, with the mark that those want which no transaction may hold. */
export function joined (statements: readonly string[], breakpoints = true): string {
  const text = statements.join(breakpoints ? `${breakpoint}\n` : '\n')
  return statements.some((statement) => /^(CREATE|DROP) (UNIQUE )?INDEX CONCURRENTLY /.test(statement)) ? `-- data-access: no-transaction\n${text}` : text
}
