import { stripVTControlCharacters } from 'node:util'
import { MigrationError } from '../../../errors/errors.js'
import { withSqlTexts } from './with-sql-texts.js'
import type { Snapshot } from '../snapshots/snapshot.js'
import type { Casing } from '../../../drizzle/casing.js'

/** drizzle-kit's `drizzle-kit/api`, as far as it is used. */
export interface DrizzleKit {
  generateDrizzleJson (schema: Record<string, unknown>, prevId?: string, schemaFilters?: string[], casing?: Casing): Snapshot
  generateMigration (previous: Snapshot, current: Snapshot): Promise<string[]>
}

/**
 * drizzle-kit, which is wanted only where migrations are written.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` when it is not installed
 */
export async function loadDrizzleKit (specifier = 'drizzle-kit/api'): Promise<DrizzleKit> {
  try {
    const kit = await import(specifier) as DrizzleKit
    return { ...kit, generateMigration: (previous, current) => kit.generateMigration(previous, current).catch((cause: unknown) => { throw refused(cause) }) }
  } catch (cause) {
    throw new MigrationError('Migrations are written by drizzle-kit, which is not here: npm install --save-dev drizzle-kit@0.31', 'DB_MIGRATION_FAILED', { cause })
  }
}

/** drizzle-kit's parser tells where in a snapshot it stopped, its comparison nothing. */
function refused (cause: unknown): MigrationError {
  const { issues = [], message } = cause as Error & { issues?: ReadonlyArray<{ readonly path: readonly PropertyKey[], readonly message: string }> }
  const places = issues.map(({ path, message }) => `${path.map(String).join(' / ')}: ${message}`)
  return new MigrationError(`drizzle-kit cannot read the snapshots (${places.length > 0 ? places.join('; ') : message}): bring them back from version control`, 'DB_MIGRATION_MISSING', { cause })
}

/**
 * The snapshot of a model.
 *
 * @param schema the exports of the modules that hold its tables
 * @throws {MigrationError} `DB_MIGRATION_FAILED` with drizzle-kit's own words when the model is refused: two indexes with one name, say
 */
export function snapshotOf (kit: DrizzleKit, schema: Record<string, unknown>, { casing, previous }: { casing?: Casing | undefined, previous: Snapshot }): Snapshot {
  // Re-exports would count twice.
  const exported = [...new Set(Object.values(schema))]
  const made = withSqlTexts(exported, casing, () => withoutExit(() => kit.generateDrizzleJson({ ...exported }, previous.id, undefined, casing)))
  const { id, prevId, ...rest } = JSON.parse(JSON.stringify(made))
  return { id, prevId, ...rest }
}

/** Runs `fn`, which does not wait for anything, and makes an error of its way to end the process. */
function withoutExit<Result> (fn: () => Result): Result {
  const { exit, stdout } = process
  const { write } = stdout
  const said: string[] = []
  stdout.write = (text: string | Uint8Array) => said.push(String(text)) > 0
  process.exit = () => { throw new MigrationError(`drizzle-kit refuses the model: ${plain(said.join(' '))}`, 'DB_MIGRATION_FAILED') }
  try {
    return fn()
  } finally {
    stdout.write = write
    process.exit = exit
  }
}

/** Without colours and line breaks. */
function plain (text: string): string {
  return stripVTControlCharacters(text).replace(/\s+/g, ' ').trim()
}
