import type { Client } from 'pg'
import { MigrationError } from '../errors/errors.js'
import { AppliedTable, type AppliedRow } from './applied.js'
import { readMigrations, type Migration, type MigrationFile } from './files.js'
import { withClient, type MigrationOptions } from './options.js'

/** How the files of a folder and the rows of a database belong together. */
export interface MigrationStatus {
  /** In the order in which they were applied. */
  readonly applied: readonly MigrationFile[]
  /** In the order in which they are to be applied. */
  readonly pending: readonly MigrationFile[]
}

/**
 * Compares a folder with a database.
 *
 * @throws {MigrationError} when going on would skip or lose something: `DB_MIGRATION_EDITED`, `DB_MIGRATION_MISSING`, `DB_MIGRATION_OUT_OF_ORDER`
 */
export async function readStatus (client: Client, { folder = './drizzle', table }: MigrationOptions): Promise<MigrationStatus> {
  const files = await readMigrations(folder)
  const rows = await new AppliedTable(client, table).read()
  const applied = rows.map((row) => fileOf(row, files, folder))
  const pending = files.filter((file) => !applied.some(({ tag }) => tag === file.tag))
  refuseOlder(pending, Math.max(...rows.map((row) => row.when)))
  return { applied, pending }
}

function fileOf (row: AppliedRow, files: readonly MigrationFile[], folder: string): MigrationFile {
  const file = files.find(({ when }) => when === row.when)
  if (file === undefined) {
    throw new MigrationError(
      `The database has a migration that ${folder} does not have, generated ${new Date(row.when).toISOString()}: the database is newer than this code, or the file was removed`,
      'DB_MIGRATION_MISSING'
    )
  }
  if (file.hash !== row.hash) {
    throw new MigrationError(
      `${file.tag}.sql was edited after it had been applied: bring back its former text, and put the change into a new migration`,
      'DB_MIGRATION_EDITED'
    )
  }
  return row.appliedAt === undefined ? file : { ...file, appliedAt: row.appliedAt }
}

/** drizzle-kit applies only what is newer than the newest applied one, so that an older file from a branch merged later would be skipped for ever. */
function refuseOlder (pending: readonly MigrationFile[], newestApplied: number): void {
  let newest = newestApplied
  for (const { tag, when } of pending) {
    if (when <= newest) {
      throw new MigrationError(
        `${tag}.sql is older than a migration that comes before it or is applied already, as after a merge: remove it with npx drizzle-kit drop and generate it again`,
        'DB_MIGRATION_OUT_OF_ORDER'
      )
    }
    newest = when
  }
}

/**
 * The migrations that were applied to the database, in the order in which that happened.
 *
 * @throws {MigrationError} as {@link runMigrations} does, when folder and database do not fit
 */
export async function getMigrationHistory (options: MigrationOptions = {}): Promise<Migration[]> {
  const { applied } = await withClient(options, (client) => readStatus(client, options))
  return applied.map(withoutStatements)
}

/** The migration that was applied last, `undefined` where there is none. */
export async function getCurrentMigration (options: MigrationOptions = {}): Promise<Migration | undefined> {
  return (await getMigrationHistory(options)).at(-1)
}

/** The migrations that {@link runMigrations} would apply now, in that order. */
export async function getPendingMigrations (options: MigrationOptions = {}): Promise<Migration[]> {
  const { pending } = await withClient(options, (client) => readStatus(client, options))
  return pending.map(withoutStatements)
}

/** What a user sees of a migration: all but its SQL. */
export function withoutStatements ({ statements, ...migration }: MigrationFile): Migration {
  return migration
}
