import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { MigrationError } from '../../../../errors/errors.js'
import { folderLayout, lockedFolder } from '../../../folder/layout.js'
import { findMigrationFolders } from '../../../folder/migration-folders.js'
import { writeNewFiles } from '../write-new-files.js'

/** The files of a new migration, by their names. */
export interface NewMigration {
  readonly tag: string
  readonly files: Readonly<Record<string, string>>
  /** The migrations of the folder when it was read. */
  readonly former: readonly string[]
}

/**
 * Writes the folder of a migration, so that the whole folder appears at once.
 *
 * It is written inside another folder, which only one process at a time can create, and then moved.
 *
 * @throws {MigrationError} `DB_MIGRATION_LOCKED` if another process is writing a migration, or wrote one since the folder was read
 */
export async function writeMigration (folder: string, { tag, files, former }: NewMigration): Promise<void> {
  await mkdir(folder, { recursive: true })
  const lock = folderLayout.lock(folder)
  await mkdir(lock).catch((cause: unknown) => { throw lockedFolder(folder, folderLayout, { cause }) })
  try {
    if (!isDeepStrictEqual(await findMigrationFolders(folder), [...former])) {
      throw new MigrationError(`Another migration was written into ${folder} meanwhile: create yours again`, 'DB_MIGRATION_LOCKED')
    }
    const draft = join(lock, tag)
    await mkdir(draft)
    await writeNewFiles(draft, files)
    await rename(draft, join(folder, tag))
  } finally {
    await rm(lock, { recursive: true })
  }
}
