import { isDeepStrictEqual } from 'node:util'
import { MigrationError } from '../../../../errors/errors.js'
import { quotedIdentifier, quotedName } from '../../snapshots/names.js'
import { tablePairs } from '../../snapshots/snapshot-parts.js'
import { withViewsInCreateOrder, withViewsInDropOrder } from '../view-order.js'
import { loadApi, type Hint, type MissingHint } from './drizzle-kit.js'
import { createHints } from './hints.js'
import { stateOf } from './state-of-snapshot.js'
import type { Snapshot } from '../../snapshots/snapshot.js'

/** The statements between two snapshots: those of drizzle-kit, corrected. */
export async function correctedStatements (before: Snapshot, after: Snapshot): Promise<string[]> {
  if (isDeepStrictEqual(before, after)) return []
  // drizzle-kit leaves out NOT NULL of a generated column that is added to a table.
  const starts = tablePairs(before, after).flatMap(([, a, b]) => Object.values(b.columns)
    .filter(({ name, generated, notNull }) => a.columns[name] === undefined && generated !== undefined && notNull)
    .map(({ name }) => `ALTER TABLE ${quotedName(b)} ADD COLUMN ${quotedIdentifier(name)} `))
  const statements = await drizzleKitStatements(withViewsInDropOrder(before), withViewsInCreateOrder(after), [])
  return statements.map((statement) => starts.some((start) => statement.startsWith(start)) ? statement.replace(/;$/, ' NOT NULL;') : statement)
}

/**
 * The statements that drizzle-kit writes between two snapshots.
 *
 * @param hints what was renamed; everything else that is new is created
 * @throws {MigrationError} `DB_MIGRATION_MISSING` if it cannot read the snapshots
 */
export async function drizzleKitStatements (before: Snapshot, after: Snapshot, hints: readonly Hint[]): Promise<string[]> {
  const { generateMigration } = await loadApi()
  try {
    return await generateMigration(stateOf(before), stateOf(after), { hints })
  } catch (cause) {
    const { missingHints } = cause as { missingHints?: readonly MissingHint[] }
    if (missingHints !== undefined) return await drizzleKitStatements(before, after, [...hints, ...createHints(missingHints)])
    throw new MigrationError(`drizzle-kit cannot compare the snapshots (${(cause as Error).message}): restore them from version control`, 'DB_MIGRATION_MISSING', { cause })
  }
}
