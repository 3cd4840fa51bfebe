import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MigrationError } from '../errors/errors.js'
import { readJournal, type JournalEntry } from './journal.js'

/** A migration: a SQL file of drizzle-kit's. */
export interface Migration {
  /** The name of its file, without `.sql`. */
  readonly tag: string
  /** When it was generated, in milliseconds since 1970. */
  readonly when: number
  /** SHA-256 of its file, as drizzle-kit notes it. */
  readonly hash: string
  /** When it was applied, where the database's table has a column `applied_at`; the one that drizzle-orm 0.x makes has none. */
  readonly appliedAt?: Date
  /** Whether it can be rolled back: there is a file `<tag>.down.sql`. */
  readonly hasDown: boolean
}

/** A migration with the statements of its file. */
export interface MigrationFile extends Migration {
  readonly statements: readonly string[]
}

/**
 * The migrations of a folder, in the order of its journal.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` when the journal, or a file that it names, is not there
 */
export async function readMigrations (folder: string): Promise<MigrationFile[]> {
  const entries = await readJournal(folder)
  return Promise.all(entries.map((entry) => readMigration(folder, entry)))
}

async function readMigration (folder: string, { tag, when }: JournalEntry): Promise<MigrationFile> {
  const text = await readFile(join(folder, `${tag}.sql`), 'utf8').catch((cause: unknown) => {
    throw new MigrationError(`${tag}.sql is in the journal of ${folder}, but not in the folder: bring the file back, or remove it with npx drizzle-kit drop`, 'DB_MIGRATION_MISSING', { cause })
  })
  return {
    tag,
    when,
    hash: createHash('sha256').update(text).digest('hex'),
    hasDown: existsSync(join(folder, `${tag}.down.sql`)),
    statements: text.split('--> statement-breakpoint')
  }
}
