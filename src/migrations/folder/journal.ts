import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MigrationError } from '../../errors/errors.js'

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
 * The journal of a folder; an empty journal if there is none yet.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` if the file is not a journal
 */
export async function readJournal (folder: string): Promise<Journal> {
  return await findJournal(folder) ?? { version: '7', dialect: 'postgresql', entries: [] }
}

/**
 * The migrations of a folder that must have a journal.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` if there is no journal, or the file is not a journal
 */
export async function readEntries (folder: string): Promise<readonly JournalEntry[]> {
  const journal = await findJournal(folder)
  if (journal !== undefined) return journal.entries
  throw new MigrationError(
    `${folder} has no journal of migrations, meta/_journal.json: create one with npx drizzle-kit generate, or pass the right folder as the option folder`, 'DB_MIGRATION_MISSING'
  )
}

async function findJournal (folder: string): Promise<Journal | undefined> {
  try {
    const journal: Journal = JSON.parse(await readFile(journalOf(folder), 'utf8'))
    return { ...journal, entries: [...journal.entries] }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new MigrationError(`${journalOf(folder)} is not a journal of drizzle-kit: restore it from version control`, 'DB_MIGRATION_MISSING', { cause })
  }
}
