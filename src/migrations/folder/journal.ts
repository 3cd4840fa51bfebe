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
