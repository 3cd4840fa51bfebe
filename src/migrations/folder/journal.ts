import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MigrationError } from '../../errors/errors.js'
import { findMigrationFolders } from './migration-folders.js'

/** One entry of drizzle-kit's journal: a generated migration. */
export interface JournalEntry {
  readonly idx: number
  readonly version: string
  /** When it was generated, in milliseconds since 1970. The database's table identifies it by this. */
  readonly when: number
  /** Its file name without `.sql`. */
  readonly tag: string
  readonly breakpoints: boolean
}

/** drizzle-kit's list of migrations, in the order in which they are applied. */
export interface Journal {
  readonly version: string
  readonly dialect: string
  readonly entries: readonly JournalEntry[]
}

/** The path of a folder's journal. */
export function journalOf (folder: string): string {
  return join(folder, 'meta', '_journal.json')
}

/**
 * The journal of a folder in which migrations are generated; an empty journal if there is none yet.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` if the file is not a journal; `DB_MIGRATION_FAILED` for a folder in the layout of drizzle-kit 1.0
 */
export async function readJournal (folder: string): Promise<Journal> {
  const [newer] = await findMigrationFolders(folder)
  if (newer !== undefined) {
    throw new MigrationError(
      `${folder} has migrations in the layout of drizzle-kit 1.0, as ${newer}. They can be applied, checked without a schema and rolled back, but not generated yet: use npx drizzle-kit generate, and write down.sql beside migration.sql`,
      'DB_MIGRATION_FAILED'
    )
  }
  return await findJournal(folder) ?? { version: '7', dialect: 'postgresql', entries: [] }
}

/** The path to which an upgrade moves the journal of a folder, for the way back. */
export function keptJournalOf (folder: string): string {
  return join(folder, 'meta', '_journal-0.31.json')
}

/**
 * The journal of a folder; undefined if there is none.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` if the file is not a journal
 */
export async function findJournal (folder: string, path = journalOf(folder)): Promise<Journal | undefined> {
  try {
    const journal: Journal = JSON.parse(await readFile(path, 'utf8'))
    return { ...journal, entries: [...journal.entries] }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new MigrationError(`${path} is not a journal of drizzle-kit: restore it from version control`, 'DB_MIGRATION_MISSING', { cause })
  }
}
