import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MigrationError } from '../../errors/errors.js'
import { readEntries, type JournalEntry } from './journal.js'
import { parseMigration, unmarkedTexts, type MigrationText } from './directives.js'

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

/** A migration with what its file asks for. */
export interface MigrationFile extends Migration {
  readonly up: MigrationText
  /** Those that a database may have noted for it: its own, and those that it has with other marks. */
  readonly hashes: readonly string[]
}

/**
 * The migrations of a folder, in the order of its journal.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` when the journal, or a file that it names, is not there
 */
export async function readMigrations (folder: string): Promise<MigrationFile[]> {
  const entries = await readEntries(folder)
  return Promise.all(entries.map((entry) => readMigration(folder, entry)))
}

/**
 * The way back from a migration, `<tag>.down.sql`; undefined where there is none.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` when it has a mark that does not exist
 */
export async function readDown (folder: string, tag: string): Promise<MigrationText | undefined> {
  const name = downName(tag)
  if (!existsSync(join(folder, name))) return undefined
  return parseMigration(await readFile(join(folder, name), 'utf8'), name)
}

/** The name of the file that undoes a migration. */
export function downName (tag: string): string {
  return `${tag}.down.sql`
}

/**
 * The text of a migration, `<tag>.sql`.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` when it is not there
 */
export async function readSql (folder: string, tag: string): Promise<string> {
  return await readFile(join(folder, `${tag}.sql`), 'utf8').catch((cause: unknown) => {
    throw new MigrationError(`${tag}.sql is in the journal of ${folder}, but not in the folder: bring the file back, or remove it with npx drizzle-kit drop`, 'DB_MIGRATION_MISSING', { cause })
  })
}

async function readMigration (folder: string, { tag, when }: JournalEntry): Promise<MigrationFile> {
  const text = await readSql(folder, tag)
  const [hash, ...others] = unmarkedTexts(text).map((each) => createHash('sha256').update(each).digest('hex')) as [string, ...string[]]
  return {
    tag,
    when,
    hash,
    hashes: [hash, ...others],
    hasDown: existsSync(join(folder, downName(tag))),
    up: parseMigration(text, `${tag}.sql`)
  }
}
