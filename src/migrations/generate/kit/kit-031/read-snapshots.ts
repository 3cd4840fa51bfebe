import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { MigrationError } from '../../../../errors/errors.js'
import { upgradeSnapshot } from './upgrade-snapshot.js'
import { emptySnapshot } from '../../snapshots/snapshot.js'
import type { Snapshot } from '../../snapshots/snapshot.js'

/** The names of a folder's snapshots without `_snapshot.json`, oldest first; none if there is no folder yet. */
export async function listSnapshots (folder: string): Promise<string[]> {
  const names = await readdir(join(folder, 'meta')).catch(() => [])
  // drizzle-kit sorts them the same way, and treats the last one as the newest.
  return names.filter((name) => name.endsWith('_snapshot.json')).sort().map((name) => basename(name, '_snapshot.json'))
}

/**
 * The newest snapshot of a folder; an empty one if there is none yet.
 *
 * @param prefixes the prefixes of the journal's tags
 * @throws {MigrationError} `DB_MIGRATION_MISSING` if it belongs to no migration, or cannot be read
 */
export async function newestSnapshot (folder: string, prefixes: readonly string[]): Promise<Snapshot> {
  const newest = (await listSnapshots(folder)).at(-1)
  if (newest === undefined) return emptySnapshot()
  if (prefixes.includes(newest)) return await readSnapshot(folder, newest)
  throw new MigrationError(`meta/${newest}_snapshot.json belongs to no migration of the journal of ${folder}: remove it, or restore the journal that lists it`, 'DB_MIGRATION_MISSING')
}

/**
 * The snapshot with a prefix (`0003`), converted to version 7.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` if it cannot be read, or is not a snapshot
 */
export async function readSnapshot (folder: string, prefix: string): Promise<Snapshot> {
  const path = join(folder, 'meta', `${prefix}_snapshot.json`)
  let text: unknown
  try {
    text = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new MigrationError(`${path} is missing, or is not JSON: restore it from version control`, 'DB_MIGRATION_MISSING', { cause })
  }
  return upgradeSnapshot(text, path, emptySnapshot())
}
