import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { downName, readSql } from '../files.js'
import { readJournal } from '../journal.js'
import { breakpoint } from '../marks.js'
import { decideRenames } from './decide.js'
import { customDownFile, downFileOf, type DownFile } from './down-file.js'
import { loadDrizzleKit, type DrizzleKit } from './drizzle-kit.js'
import { prefixOf } from './naming.js'
import { emptySnapshot, listSnapshots, readSnapshot, type Snapshot } from './snapshot.js'
import { decideBySql } from './sql-renames.js'
import { joined, statementsOf, type Way } from './statements.js'
import type { CreatedMigration } from './create.js'

/**
 * Writes the ways back that are missing in a folder, of migrations that `drizzle-kit generate` has made: from the snapshots before and after each of them.
 * Renames are read from its SQL. SQL that was written by hand has a way back that only its author knows: its file is marked as irreversible, and says what to write.
 *
 * Files that are there stay as they are.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` when a file of the folder is not there, or cannot be read; `DB_MIGRATION_FAILED` without drizzle-kit
 *
 * @example
 * const { written } = await writeDownFiles({ folder: './drizzle' })
 */
export async function writeDownFiles ({ folder = './drizzle' }: { readonly folder?: string | undefined } = {}): Promise<{ written: CreatedMigration[] }> {
  const { entries } = await readJournal(folder)
  const prefixes = await listSnapshots(folder)
  const snapshots = new Map<string, Snapshot>()
  for (const prefix of prefixes) snapshots.set(prefix, await readSnapshot(folder, prefix))
  const kit = await loadDrizzleKit()
  const written: CreatedMigration[] = []
  let before: Snapshot | undefined = emptySnapshot()
  for (const { tag } of entries) {
    const after = snapshots.get(prefixOf(tag))
    const path = join(folder, downName(tag))
    if (!existsSync(path)) {
      const { text, irreversible } = await downFileBetween(kit, { before, after, sql: await readSql(folder, tag) })
      await writeFile(path, text, { flag: 'wx' })
      written.push({ tag, irreversible })
    }
    before = after
  }
  return { written }
}

async function downFileBetween (kit: DrizzleKit, { before, after, sql }: { before: Snapshot | undefined, after: Snapshot | undefined, sql: string }): Promise<DownFile> {
  // Without its snapshots, or with no change between them, there is only the SQL.
  if (before === undefined || after === undefined || isDeepStrictEqual(before, { ...after, id: before.id, prevId: before.prevId })) return customDownFile
  const way: Way = { before, after, renames: await decideRenames(before, after, decideBySql(sql)) }
  const file = await downFileOf(kit, way)
  const isEdited = plain(joined(await statementsOf(kit, way))) !== plain(sql)
  return isEdited ? { ...file, text: `-- The SQL of this migration is not just what drizzle-kit writes for its tables: look whether there is more to undo.\n${file.text}` } : file
}

/** Without what no statement depends on. */
function plain (sql: string): string {
  return sql.replaceAll(breakpoint, '').replace(/\s+/g, '')
}
