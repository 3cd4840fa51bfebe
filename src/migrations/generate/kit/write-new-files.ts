import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MigrationError } from '../../../errors/errors.js'

/**
 * Writes new files: all of them, or none.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` if one of them exists, or the folder is not writable
 */
export async function writeNewFiles (folder: string, files: Readonly<Record<string, string>>): Promise<string[]> {
  const written: string[] = []
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, name)
      await writeFile(path, text, { flag: 'wx' }).catch((cause: NodeJS.ErrnoException) => { throw notWritten(path, cause) })
      written.push(path)
    }
    return written
  } catch (error) {
    for (const path of written) await rm(path, { force: true })
    throw error
  }
}

function notWritten (path: string, cause: NodeJS.ErrnoException): MigrationError {
  const message = cause.code === 'EEXIST' ? `${path} already exists, although the journal does not list it: move it away` : `${path} cannot be written (${cause.code})`
  return new MigrationError(message, 'DB_MIGRATION_FAILED', { cause })
}

/** JSON in drizzle-kit's format. */
export function pretty (value: unknown): string {
  return JSON.stringify(value, null, 2)
}
