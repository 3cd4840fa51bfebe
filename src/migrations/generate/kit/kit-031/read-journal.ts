import { MigrationError } from '../../../../errors/errors.js'
import { findJournal, type Journal } from '../../../folder/journal.js'
import { findMigrationFolders } from '../../../folder/migration-folders.js'

/**
 * The journal of a folder in which migrations are generated; an empty journal if there is none yet.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` if the file is not a journal; `DB_MIGRATION_FAILED` for a folder in the layout of drizzle-kit 1.0
 */
export async function readJournal (folder: string): Promise<Journal> {
  const [newer] = await findMigrationFolders(folder)
  if (newer !== undefined) {
    throw new MigrationError(
      `${folder} has the layout of drizzle-kit 1.0, as ${newer}, but Drizzle 0.45 is installed, which cannot continue it: npm install drizzle-orm@^1.0.0-rc.5 and npm install --save-dev drizzle-kit@^1.0.0-rc.5, or bring the folder back with data-access migrate upgrade --back --write`,
      'DB_MIGRATION_FAILED'
    )
  }
  return await findJournal(folder) ?? { version: '7', dialect: 'postgresql', entries: [] }
}
