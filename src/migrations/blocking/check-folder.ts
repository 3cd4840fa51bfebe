import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readLayout, type Layout, type MigrationEntry } from '../folder/layout.js'
import { readSql } from '../folder/migration-files.js'
import { findBlocking, type BlockingStatement } from './find-blocking.js'

/** Which migrations of a folder are checked. */
export interface CheckedFiles {
  readonly isChecked: (entry: MigrationEntry) => boolean
  /** Whether they are deployed together: see {@link findBlocking}. */
  readonly areTogether: boolean
}

/**
 * Finds the statements that would block a table in use, in some of the migrations of a folder. The others only tell which tables there are; one whose file is
 * missing tells nothing.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` for a folder that cannot be read
 */
export async function findBlockingIn (folder: string, { isChecked, areTogether }: CheckedFiles): Promise<BlockingStatement[]> {
  const { layout, entries } = await readLayout(folder)
  return findBlocking(await Promise.all(entries.map((entry) => read(folder, layout, { entry, isChecked: isChecked(entry) }))), { areTogether })
}

async function read (folder: string, layout: Layout, { entry: { tag }, isChecked }: { readonly entry: MigrationEntry, readonly isChecked: boolean }) {
  const file = layout.upFile(tag)
  const text = isChecked || existsSync(join(folder, file)) ? await readSql(folder, tag, layout) : ''
  return { tag, file, text, isChecked }
}
