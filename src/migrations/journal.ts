import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MigrationError } from '../errors/errors.js'

/** One line of drizzle-kit's journal: a migration that was generated. */
export interface JournalEntry {
  /** The name of its file, without `.sql`. */
  readonly tag: string
  /** When it was generated, in milliseconds since 1970; how the database's table names it. */
  readonly when: number
}

/**
 * drizzle-kit's journal of a folder, in the order in which its migrations apply.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` when there is none, or it cannot be read
 */
export async function readJournal (folder: string): Promise<JournalEntry[]> {
  try {
    const text = await readFile(join(folder, 'meta', '_journal.json'), 'utf8')
    const journal: { entries: JournalEntry[] } = JSON.parse(text)
    return [...journal.entries]
  } catch (cause) {
    throw new MigrationError(
      `There is no readable journal of migrations, meta/_journal.json, in ${folder}: make one with npx drizzle-kit generate, or name its folder with the option folder`,
      'DB_MIGRATION_MISSING', { cause }
    )
  }
}
