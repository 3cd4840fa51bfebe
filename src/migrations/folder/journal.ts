import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MigrationError } from '../../errors/errors.js'

/** One line of drizzle-kit's journal: a migration that was generated. */
export interface JournalEntry {
  readonly idx: number
  readonly version: string
  /** When it was generated, in milliseconds since 1970; how the database's table names it. */
  readonly when: number
  /** The name of its file, without `.sql`. */
  readonly tag: string
  readonly breakpoints: boolean
}

/** drizzle-kit's list of migrations, in the order in which they apply. */
export interface Journal {
  readonly version: string
  readonly dialect: string
  readonly entries: readonly JournalEntry[]
}

/** Where a folder has its journal. */
export function journalOf (folder: string): string {
  return join(folder, 'meta', '_journal.json')
}

/**
 * The journal of a folder; an empty one where there is none yet.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` for a file that is none
 */
export async function readJournal (folder: string): Promise<Journal> {
  return await findJournal(folder) ?? { version: '7', dialect: 'postgresql', entries: [] }
}

/**
 * The migrations of a folder that must have some.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` when there is no journal, or the file is none
 */
export async function readEntries (folder: string): Promise<readonly JournalEntry[]> {
  const journal = await findJournal(folder)
  if (journal !== undefined) return journal.entries
  throw new MigrationError(
    `There is no journal of migrations, meta/_journal.json, in ${folder}: make one with npx drizzle-kit generate, or name its folder with the option folder`, 'DB_MIGRATION_MISSING'
  )
}

async function findJournal (folder: string): Promise<Journal | undefined> {
  try {
    const journal: Journal = JSON.parse(await readFile(journalOf(folder), 'utf8'))
    return { ...journal, entries: [...journal.entries] }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new MigrationError(`${journalOf(folder)} is not JSON, or no journal of drizzle-kit's: bring it back from version control`, 'DB_MIGRATION_MISSING', { cause })
  }
}
