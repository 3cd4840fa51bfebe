import { MigrationError } from '../../errors/errors.js'
import { findJournal, keptJournalOf } from '../folder/journal.js'
import { entriesOf, folderLayout, journalLayout, refuseBoth, type Layout, type MigrationEntry } from '../folder/layout.js'
import { findMigrationFolders } from '../folder/migration-folders.js'

/**
 * A folder that can be moved from one layout to the other. Until the journal is moved, and after it came back, the files beside it are complete. Between
 * these two renames the migration folders are complete. So an interrupted move loses nothing in either direction.
 */
export interface FolderState {
  readonly folder: string
  /** The layout whose files are complete. */
  readonly layout: Layout
  /** The migrations of the journal, or of the kept journal; none if the folder has neither. */
  readonly entries: readonly MigrationEntry[]
  /** The migration folders that are there, in order. */
  readonly names: readonly string[]
}

/**
 * The state of a folder.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` for a folder without migrations, and for one with two layouts that no upgrade has written
 */
export async function readFolderState (folder: string): Promise<FolderState> {
  const journal = await findJournal(folder)
  const names = await findMigrationFolders(folder)
  const kept = journal ?? await findJournal(folder, keptJournalOf(folder))
  const entries = entriesOf(kept?.entries ?? [])
  if (journal !== undefined) refuseBoth(folder, names.filter((name) => !entries.some((entry) => entry.name === name)))
  if (journal === undefined && names.length === 0) throw new MigrationError(`${folder} has no migrations to upgrade: pass the right folder as the option folder`, 'DB_MIGRATION_MISSING')
  return { folder, layout: journal === undefined ? folderLayout : journalLayout, entries, names }
}
