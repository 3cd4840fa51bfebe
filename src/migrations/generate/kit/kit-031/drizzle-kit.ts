import { stripVTControlCharacters } from 'node:util'
import { MigrationError } from '../../../../errors/errors.js'
import { withSqlTexts } from './model/with-sql-texts.js'
import type { Snapshot } from '../../snapshots/snapshot.js'
import type { Casing } from '../../../../drizzle/casing.js'

/** The part of `drizzle-kit/api` that is used. */
export interface DrizzleKit {
  generateDrizzleJson (schema: Record<string, unknown>, prevId?: string, schemaFilters?: string[], casing?: Casing): Snapshot
  generateMigration (previous: Snapshot, current: Snapshot): Promise<string[]>
}

/**
 * Loads drizzle-kit. It is needed only to write migrations.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` if it is not installed
 */
export async function loadDrizzleKit (specifier = 'drizzle-kit/api'): Promise<DrizzleKit> {
  try {
    const kit = await import(specifier) as DrizzleKit
    return { ...kit, generateMigration: (previous, current) => kit.generateMigration(previous, current).catch((cause: unknown) => { throw refused(cause) }) }
  } catch (cause) {
    throw new MigrationError('Writing migrations needs drizzle-kit, which is not installed: npm install --save-dev drizzle-kit@0.31', 'DB_MIGRATION_FAILED', { cause })
  }
}

/** The error of a refused snapshot. drizzle-kit's parser names the places in the snapshot; its comparison does not. */
function refused (cause: unknown): MigrationError {
  const { issues = [], message } = cause as Error & { issues?: ReadonlyArray<{ readonly path: readonly PropertyKey[], readonly message: string }> }
  const places = issues.map(({ path, message }) => `${path.map(String).join(' / ')}: ${message}`)
  return new MigrationError(`drizzle-kit cannot read the snapshots (${places.length > 0 ? places.join('; ') : message}): restore them from version control`, 'DB_MIGRATION_MISSING', { cause })
}

/**
 * The snapshot of a model.
 *
 * @param schema the exports of the modules that hold its tables
 * @throws {MigrationError} `DB_MIGRATION_FAILED` with drizzle-kit's own words if the model is refused, for example for two indexes with one name
 */
export function snapshotOf (kit: DrizzleKit, schema: Record<string, unknown>, { casing, previous }: { casing?: Casing | undefined, previous: Snapshot }): Snapshot {
  // A re-exported table must count once.
  const exported = [...new Set(Object.values(schema))]
  const made = withSqlTexts(exported, casing, () => withoutExit(() => kit.generateDrizzleJson({ ...exported }, previous.id, undefined, casing)))
  const { id, prevId, ...rest } = JSON.parse(JSON.stringify(made))
  return { id, prevId, ...rest }
}

/** Runs a synchronous function, and turns its `process.exit()` into an error with what it printed. */
function withoutExit<Result> (fn: () => Result): Result {
  const { exit, stdout } = process
  const { write } = stdout
  const printed: string[] = []
  stdout.write = (text: string | Uint8Array) => printed.push(String(text)) > 0
  process.exit = () => { throw new MigrationError(`drizzle-kit refuses the model: ${plain(printed.join(' '))}`, 'DB_MIGRATION_FAILED') }
  try {
    return fn()
  } finally {
    stdout.write = write
    process.exit = exit
  }
}

/** A text without colours and line breaks. */
function plain (text: string): string {
  return stripVTControlCharacters(text).replace(/\s+/g, ' ').trim()
}
