import type { Client } from 'pg'
import { AppliedTable } from './applied-table.js'
import { asDatabaseError } from './as-database-error.js'
import { readMigrations, type MigrationFile, type MigrationFolder } from '../folder/migration-files.js'
import { matchRows, type AppliedMigration } from './match-rows.js'
import type { MigrationOptions } from './migration-options.js'
import { ProgressTable, type Progress } from './progress-table.js'

/** An applied migration whose file is in the folder. */
export interface KnownMigration extends AppliedMigration {
  readonly file: MigrationFile
}

/** Whether the folder has the file of a row. */
export function isKnown (migration: AppliedMigration): migration is KnownMigration {
  return migration.file !== undefined
}

/** The files of a folder matched with the rows of a database. */
export interface Comparison extends MigrationFolder {
  readonly folder: string
  /** In the order in which they were applied. */
  readonly applied: readonly AppliedMigration[]
  /** The files to apply, in order. */
  readonly pending: readonly MigrationFile[]
  /** The non-transactional file that was begun and is not finished. */
  readonly progress: Progress | undefined
}

/** Compares a folder with a database. It changes nothing. */
export async function compare (client: Client, { folder = './drizzle', table }: MigrationOptions): Promise<Comparison> {
  const { layout, files } = await readMigrations(folder)
  const applied = matchRows(await asDatabaseError(new AppliedTable(client, table).read()), { layout, files })
  const pending = files.filter((file) => !applied.some((migration) => migration.file === file))
  const progress = await asDatabaseError(new ProgressTable(client, table).read())
  return { folder, layout, files, applied, pending, progress }
}
