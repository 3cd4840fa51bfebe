import type { Client } from 'pg'
import { AppliedTable, type TableName } from './applied-table.js'
import { asDatabaseError } from './as-database-error.js'
import { inTransaction } from './in-transaction.js'
import { readMigrations, type MigrationFile, type MigrationFolder } from '../folder/migration-files.js'
import { matchRows, type AppliedMigration } from './match-rows.js'
import type { MigrationOptions } from './migration-options.js'
import { tableOf, type Placed } from './schema-place.js'
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
export async function compare (client: Client, options: MigrationOptions & Placed): Promise<Comparison> {
  const { folder = './drizzle' } = options
  const files = await readMigrations(folder)
  return asDatabaseError(inTransaction(client, () => compareFiles(client, files, { folder, table: tableOf(options) })))
}

/** Compares files with a database. It changes nothing. */
export async function compareFiles (client: Client, { layout, files }: MigrationFolder, { folder, table }: { readonly folder: string, readonly table: TableName }): Promise<Comparison> {
  const applied = matchRows(await asDatabaseError(new AppliedTable(client, table).read()), { layout, files })
  const pending = files.filter((file) => !applied.some((migration) => migration.file === file))
  const progress = await asDatabaseError(new ProgressTable(client, table).read())
  return { folder, layout, files, applied, pending, progress: progress === undefined ? undefined : inLayout(progress, files) }
}

/** The progress of a file by its tag in this layout, if it was begun from the other one. */
function inLayout (progress: Progress, files: readonly MigrationFile[]): Progress {
  const wordsOf = (tag: string) => tag.split('_').slice(1).join('_')
  const rules = [
    ({ tag, name }: MigrationFile) => tag === progress.tag || name === progress.tag,
    ({ tag }: MigrationFile) => wordsOf(tag) === progress.tag,
    ({ tag }: MigrationFile) => wordsOf(tag) === wordsOf(progress.tag)
  ]
  const found = rules.map((rule) => files.filter(rule)).find(({ length }) => length > 0)
  // Several files may have the same words. Then the refusal names the recorded tag.
  return found?.length === 1 ? { ...progress, tag: found[0]!.tag } : progress
}
