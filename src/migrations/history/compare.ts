import type { Client } from 'pg'
import { AppliedTable, type AppliedRow } from './applied-table.js'
import { asDatabaseError } from './as-database-error.js'
import { readMigrations, type MigrationFile } from '../folder/migration-files.js'
import type { MigrationOptions } from './migration-options.js'
import { ProgressTable, type Progress } from './progress-table.js'

/** A row of the database's table, with its file if the folder has it. */
export interface AppliedMigration {
  readonly row: AppliedRow
  readonly file: MigrationFile | undefined
}

/** An applied migration whose file is in the folder. */
export interface KnownMigration extends AppliedMigration {
  readonly file: MigrationFile
}

/** Whether the folder has the file of a row. */
export function isKnown (migration: AppliedMigration): migration is KnownMigration {
  return migration.file !== undefined
}

/** The files of a folder matched with the rows of a database. */
export interface Comparison {
  readonly folder: string
  /** In the order of the journal. */
  readonly files: readonly MigrationFile[]
  /** In the order in which they were applied. */
  readonly applied: readonly AppliedMigration[]
  /** The files to apply, in order. */
  readonly pending: readonly MigrationFile[]
  /** The non-transactional file that was begun and is not finished. */
  readonly progress: Progress | undefined
}

/** Compares a folder with a database. It changes nothing. */
export async function compare (client: Client, { folder = './drizzle', table }: MigrationOptions): Promise<Comparison> {
  const files = await readMigrations(folder)
  const applied = matchRows(await asDatabaseError(new AppliedTable(client, table).read()), files)
  const pending = files.filter((file) => !applied.some((migration) => migration.file === file))
  const progress = await asDatabaseError(new ProgressTable(client, table).read())
  return { folder, files, applied, pending, progress }
}

/** The rules by which a row matches a file, the strictest first: a journal may have been rewritten, and two files may have been generated at the same time. */
const matchRules: ReadonlyArray<(row: AppliedRow, file: MigrationFile) => boolean> = [
  (row, { when, hashes }) => when === row.when && hashes.includes(row.hash),
  (row, { when }) => when === row.when,
  (row, { hashes }) => hashes.includes(row.hash)
]

/** Each migration once, with all rows that record it. */
function matchRows (rows: readonly AppliedRow[], files: readonly MigrationFile[]): AppliedMigration[] {
  const found = new Map<AppliedRow, MigrationFile>()
  const taken = new Set<MigrationFile>()
  for (const matches of matchRules) {
    for (const row of rows) {
      const file = found.has(row) ? undefined : files.find((candidate) => !taken.has(candidate) && matches(row, candidate))
      if (file === undefined) continue
      found.set(row, file)
      taken.add(file)
    }
  }
  const first = new Map(rows.map((row) => [row, found.has(row) ? row : rows.find((other) => other.when === row.when && found.has(other)) ?? rows.find(({ when }) => when === row.when)]))
  const withIds = (row: AppliedRow) => ({ ...row, ids: rows.filter((other) => first.get(other) === row).flatMap(({ ids }) => ids) })
  return rows.filter((row) => first.get(row) === row).map((row) => ({ row: withIds(row), file: found.get(row) }))
}
