import { join } from 'node:path'
import { MigrationError } from '../../errors/errors.js'
import { findJournal, journalOf, type JournalEntry } from './journal.js'
import { findMigrationFolders, timeOf, upgradedNames } from './migration-folders.js'

/** A migration of a folder, before its files are read. */
export interface MigrationEntry {
  /** Its file name without `.sql`; in the layout of drizzle-kit 1.0 the name of its folder. */
  readonly tag: string
  /** When it was generated, in milliseconds since 1970. */
  readonly when: number
  /** The name by which drizzle-orm 1.0 identifies it: the name of its folder, or the one that `drizzle-kit up` would give to that folder. */
  readonly name: string
}

/** Where drizzle-kit keeps the files of migrations. */
export interface Layout {
  /** Whether it is the layout of drizzle-kit 1.0. Its migrator identifies migrations by name, and applies every one whose name is not in the table. */
  readonly isByName: boolean
  /** The path of a migration's SQL, within the folder. */
  upFile (tag: string): string
  /** The path of its way back. */
  downFile (tag: string): string
  /** The path of the lock that a process holds while it writes a migration into a folder. */
  lock (folder: string): string
  /** The message for a migration whose SQL file is missing. */
  missing (tag: string, folder: string): string
}

/** The layout of drizzle-kit 0.31: a journal, and the SQL files beside each other. */
export const journalLayout: Layout = {
  isByName: false,
  upFile: (tag) => `${tag}.sql`,
  downFile: (tag) => `${tag}.down.sql`,
  lock: (folder) => `${journalOf(folder)}.lock`,
  missing: (tag, folder) => `${tag}.sql is in the journal of ${folder}, but not in the folder: restore the file, or remove the entry with npx drizzle-kit drop`
}

/** The layout of drizzle-kit 1.0. It ignores other files in the folder of a migration, so the way back is there. */
export const folderLayout: Layout = {
  isByName: true,
  upFile: (tag) => `${tag}/migration.sql`,
  downFile: (tag) => `${tag}/down.sql`,
  lock: (folder) => join(folder, '.data-access'),
  missing: (tag, folder) => `${tag}/snapshot.json is in ${folder}, but ${tag}/migration.sql is not: restore the file, or remove the folder ${tag}`
}

/**
 * The layout of a folder, and its migrations in the order in which they are applied.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` for a folder with no layout, or with both
 */
export async function readLayout (folder: string): Promise<{ layout: Layout, entries: MigrationEntry[] }> {
  const journal = await findJournal(folder)
  const names = await findMigrationFolders(folder)
  if (journal !== undefined) {
    refuseBoth(folder, names)
    return { layout: journalLayout, entries: entriesOf(journal.entries) }
  }
  if (names.length === 0) throw noMigrations(folder)
  return { layout: folderLayout, entries: names.map((name) => ({ tag: name, when: timeOf(name, folder), name })) }
}

/** The error of a folder into which another process is writing a migration. */
export function lockedFolder (folder: string, layout: Layout, options?: ErrorOptions): MigrationError {
  const rest = layout.isByName ? '' : ', and files that the journal does not list'
  return new MigrationError(`Another process is writing a migration into ${folder}. If none is, one was killed: remove ${layout.lock(folder)}${rest}`, 'DB_MIGRATION_LOCKED', options)
}

/** The migrations of a journal. */
export function entriesOf (entries: readonly JournalEntry[]): MigrationEntry[] {
  const names = upgradedNames(entries)
  return entries.map(({ tag, when }, index) => ({ tag, when, name: names[index]! }))
}

/** @throws {MigrationError} `DB_MIGRATION_MISSING` if a folder with a journal has migration folders, too */
export function refuseBoth (folder: string, [first]: readonly string[]): void {
  if (first === undefined) return
  throw new MigrationError(
    `${folder} has both layouts of drizzle-kit: the journal meta/_journal.json of version 0.31, and folders of version 1.0, as ${first}. Neither version would run all of them. If data-access migrate upgrade was interrupted, run it again. If drizzle-kit up was interrupted, restore the folder from version control and run it again. Otherwise move one of the two away`,
    'DB_MIGRATION_MISSING'
  )
}

function noMigrations (folder: string): MigrationError {
  return new MigrationError(
    `${folder} has no migrations: neither a journal, meta/_journal.json, nor folders such as 20260131120000_name with a migration.sql. Create one with npx data-access migrate create, or pass the right folder as the option folder`,
    'DB_MIGRATION_MISSING'
  )
}
