import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MigrationError } from '../../../../errors/errors.js'
import { journalOf, type Journal } from '../../../folder/journal.js'
import { journalLayout, lockedFolder } from '../../../folder/layout.js'
import { pretty, writeNewFiles } from '../write-new-files.js'
import { readJournal } from './read-journal.js'

/** The journals before and after a new migration, and the files of the migration. */
export interface NewMigration {
  readonly former: Journal
  readonly journal: Journal
  /** The texts of files, by their path within the folder. */
  readonly files: Readonly<Record<string, string>>
}

/**
 * Writes the files of a migration, and then the journal, so the journal never lists a missing file.
 *
 * The new journal is first written as a lock file, which only one process at a time can create. A rename then replaces the old journal atomically.
 *
 * @throws {MigrationError} `DB_MIGRATION_LOCKED` if another process is writing a migration, or wrote one since the journal was read
 */
export async function writeMigration (folder: string, { former, journal, files }: NewMigration): Promise<void> {
  await mkdir(join(folder, 'meta'), { recursive: true })
  const lock = journalLayout.lock(folder)
  const handle = await open(lock, 'wx').catch((cause: unknown) => { throw lockedFolder(folder, journalLayout, { cause }) })
  const written: string[] = [lock]
  try {
    await handle.writeFile(pretty(journal))
    await handle.close()
    if (pretty(await readJournal(folder)) !== pretty(former)) {
      throw new MigrationError(`Another migration was written into ${folder} meanwhile: create yours again`, 'DB_MIGRATION_LOCKED')
    }
    written.push(...await writeNewFiles(folder, files))
    await rename(lock, journalOf(folder))
  } catch (error) {
    for (const path of written) await rm(path, { force: true })
    throw error
  }
}
