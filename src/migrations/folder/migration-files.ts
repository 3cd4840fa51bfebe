import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MigrationError } from '../../errors/errors.js'
import { equivalentTexts, parseMigration, type MigrationText } from './directives.js'
import { readLayout, type Layout, type MigrationEntry } from './layout.js'

/** A migration: one of drizzle-kit's SQL files. */
export interface Migration {
  /** Its file name without `.sql`; in the layout of drizzle-kit 1.0 the name of its folder. */
  readonly tag: string
  /** When it was generated, in milliseconds since 1970. */
  readonly when: number
  /** SHA-256 of its file, as drizzle-kit records it. */
  readonly hash: string
  /** When it was applied, if the database's table has a column `applied_at`. The table that drizzle-orm 0.x creates does not. */
  readonly appliedAt?: Date
  /** Whether it can be rolled back: whether `<tag>.down.sql` exists, or in the layout of drizzle-kit 1.0 `<tag>/down.sql`. */
  readonly hasDown: boolean
}

/** A migration with its parsed file. */
export interface MigrationFile extends Migration, MigrationEntry {
  readonly up: MigrationText
  /** The hashes that a database may have recorded for it: its own, and those of the same file with other directives. */
  readonly hashes: readonly string[]
}

/** The migrations of a folder. */
export interface MigrationFolder {
  readonly layout: Layout
  /** In the order in which they are applied. */
  readonly files: MigrationFile[]
}

/**
 * The migrations of a folder, and its layout.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` if the folder has no migrations, a file is missing, or the folder has two layouts
 */
export async function readMigrations (folder: string): Promise<MigrationFolder> {
  return readFilesOf(folder, await readLayout(folder))
}

/** The migrations of a folder whose layout is known. */
export async function readFilesOf (folder: string, { layout, entries }: { readonly layout: Layout, readonly entries: readonly MigrationEntry[] }): Promise<MigrationFolder> {
  return { layout, files: await Promise.all(entries.map((entry) => readMigration(folder, layout, entry))) }
}

/**
 * The way back from a migration; undefined if the file does not exist.
 *
 * @param name the file's path within the folder
 * @throws {MigrationError} `DB_MIGRATION_FAILED` for an unknown directive
 */
export async function readDown (folder: string, name: string): Promise<MigrationText | undefined> {
  if (!existsSync(join(folder, name))) return undefined
  return parseMigration(await readFile(join(folder, name), 'utf8'), name)
}

/**
 * The text of a migration.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` if the file does not exist
 */
export async function readSql (folder: string, tag: string, layout: Layout): Promise<string> {
  return await readFile(join(folder, layout.upFile(tag)), 'utf8').catch((cause: unknown) => {
    throw new MigrationError(layout.missing(tag, folder), 'DB_MIGRATION_MISSING', { cause })
  })
}

async function readMigration (folder: string, layout: Layout, { tag, when, name }: MigrationEntry): Promise<MigrationFile> {
  const text = await readSql(folder, tag, layout)
  const [hash, ...others] = equivalentTexts(text).map((each) => createHash('sha256').update(each).digest('hex')) as [string, ...string[]]
  return {
    tag,
    when,
    name,
    hash,
    hashes: [hash, ...others],
    hasDown: existsSync(join(folder, layout.downFile(tag))),
    up: parseMigration(text, layout.upFile(tag))
  }
}
