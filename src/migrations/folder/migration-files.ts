import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MigrationError } from '../../errors/errors.js'
import { readEntries, type JournalEntry } from './journal.js'
import { equivalentTexts, parseMigration, type MigrationText } from './directives.js'

/** A migration: one of drizzle-kit's SQL files. */
export interface Migration {
  /** Its file name without `.sql`. */
  readonly tag: string
  /** When it was generated, in milliseconds since 1970. */
  readonly when: number
  /** SHA-256 of its file, as drizzle-kit records it. */
  readonly hash: string
  /** When it was applied, if the database's table has a column `applied_at`. The table that drizzle-orm 0.x creates does not. */
  readonly appliedAt?: Date
  /** Whether it can be rolled back: whether `<tag>.down.sql` exists. */
  readonly hasDown: boolean
}

/** A migration with its parsed file. */
export interface MigrationFile extends Migration {
  readonly up: MigrationText
  /** The hashes that a database may have recorded for it: its own, and those of the same file with other directives. */
  readonly hashes: readonly string[]
}

/**
 * The migrations of a folder, in the order of its journal.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` if the journal, or a file that it lists, is missing
 */
export async function readMigrations (folder: string): Promise<MigrationFile[]> {
  const entries = await readEntries(folder)
  return Promise.all(entries.map((entry) => readMigration(folder, entry)))
}

/**
 * The way back from a migration, `<tag>.down.sql`; undefined if the file does not exist.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` for an unknown directive
 */
export async function readDown (folder: string, tag: string): Promise<MigrationText | undefined> {
  const name = downName(tag)
  if (!existsSync(join(folder, name))) return undefined
  return parseMigration(await readFile(join(folder, name), 'utf8'), name)
}

/** The file name of a migration's way back. */
export function downName (tag: string): string {
  return `${tag}.down.sql`
}

/**
 * The text of a migration, `<tag>.sql`.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` if the file does not exist
 */
export async function readSql (folder: string, tag: string): Promise<string> {
  return await readFile(join(folder, `${tag}.sql`), 'utf8').catch((cause: unknown) => {
    throw new MigrationError(`${tag}.sql is in the journal of ${folder}, but not in the folder: restore the file, or remove the entry with npx drizzle-kit drop`, 'DB_MIGRATION_MISSING', { cause })
  })
}

async function readMigration (folder: string, { tag, when }: JournalEntry): Promise<MigrationFile> {
  const text = await readSql(folder, tag)
  const [hash, ...others] = equivalentTexts(text).map((each) => createHash('sha256').update(each).digest('hex')) as [string, ...string[]]
  return {
    tag,
    when,
    hash,
    hashes: [hash, ...others],
    hasDown: existsSync(join(folder, downName(tag))),
    up: parseMigration(text, `${tag}.sql`)
  }
}
