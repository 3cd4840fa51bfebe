import type { Client } from 'pg'
import { asDatabaseError } from '../history/as-database-error.js'
import { AppliedTable, type TableName } from '../history/applied-table.js'
import { compareFiles, isKnown, type Comparison } from '../history/compare.js'
import { inTransaction } from '../history/in-transaction.js'
import { appliedProblems, refuse } from '../history/problems.js'
import { tableOf } from '../history/schema-place.js'
import { ProgressTable, type Progress } from '../history/progress-table.js'
import { readFilesOf } from '../folder/migration-files.js'
import { timeOf } from '../folder/migration-folders.js'
import type { MigrationOptions } from '../history/migration-options.js'
import type { FolderState } from './folder-state.js'

/** The change of the table that records the applied migrations. */
export interface TableChange {
  /** Whether the columns `name` and `applied_at` are added, removed, or stay as they are. */
  readonly columns: 'added' | 'removed' | 'unchanged'
  /** The migrations whose rows get a name, or lose it. */
  readonly rows: ReadonlyArray<{ readonly tag: string, readonly name: string }>
  /** The new tag of the non-transactional file that was begun and is not finished. */
  readonly unfinished?: string
}

/** A planned change of the table. */
export interface TablePlan {
  readonly change: TableChange
  /** Changes the table in one transaction, which is committed when `changeFolder` has succeeded. */
  applyWith (changeFolder: () => Promise<void>): Promise<void>
}

/**
 * Plans the change of the table to that of drizzle-orm 1.0, or back.
 *
 * @throws {MigrationError} `DB_MIGRATION_EDITED` or `DB_MIGRATION_MISSING` if an applied migration differs from the folder
 */
export async function planTable (client: Client, state: FolderState, options: MigrationOptions & { readonly back?: boolean | undefined }): Promise<TablePlan> {
  const { back = false } = options
  const table = tableOf(options)
  const comparison = await compareFolder(client, state, table)
  refuse(comparison.applied.flatMap((migration) => appliedProblems(migration, comparison)))
  const applied = new AppliedTable(client, table)
  const isUpgraded = await asDatabaseError(applied.isUpgraded())
  const migrations = comparison.applied.filter(isKnown).map(({ row, file }) => ({ row, file: entryOf(file.name, state) ?? file }))
  const changed = isUpgraded === undefined ? [] : migrations.filter(({ row }) => back ? isUpgraded : row.name === undefined)
  const progress = new ProgressTable(client, table)
  const unfinished = newTag(await asDatabaseError(progress.read()), state, back)
  return {
    change: {
      columns: isUpgraded === back ? back ? 'removed' : 'added' : 'unchanged',
      rows: changed.map(({ file }) => ({ tag: entryOf(file.name, state)?.tag ?? file.name, name: file.name })),
      ...unfinished !== undefined && { unfinished }
    },
    applyWith: (changeFolder) => asDatabaseError(inTransaction(client, async () => {
      if (isUpgraded !== undefined) await (back ? applied.downgrade(migrations) : applied.upgrade(migrations))
      if (unfinished !== undefined) await progress.rename(unfinished)
      await changeFolder()
    }))
  }
}

/** Compares the files of the complete layout with the database. */
async function compareFolder (client: Client, { folder, layout, entries, names }: FolderState, table: TableName): Promise<Comparison> {
  const found = layout.isByName ? names.map((name) => ({ tag: name, when: timeOf(name, folder), name })) : entries
  return compareFiles(client, await readFilesOf(folder, { layout, entries: found }), { folder, table })
}

/** The migration of the journal, with the exact time. */
function entryOf (name: string, { entries }: FolderState) {
  return entries.find((entry) => entry.name === name)
}

function newTag (progress: Progress | undefined, { entries }: FolderState, back: boolean): string | undefined {
  const entry = entries.find(({ tag, name }) => (back ? name : tag) === progress?.tag)
  return back ? entry?.tag : entry?.name
}
