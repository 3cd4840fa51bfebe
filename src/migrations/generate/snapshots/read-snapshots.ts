import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { MigrationError } from '../../../errors/errors.js'
import { upgradeSnapshot } from './upgrade-snapshot.js'
import { emptySnapshot } from './snapshot.js'
import type { Snapshot } from './snapshot.js'

/** The names of a folder's snapshots without `_snapshot.json`, oldest first; none where there is no folder yet. */
export async function listSnapshots (folder: string): Promise<string[]> {
  const names = await readdir(join(folder, 'meta')).catch(() => [])
  // As drizzle-kit sorts them, and takes the last one for the newest.
  return names.filter((name) => name.endsWith('_snapshot.json')).sort().map((name) => basename(name, '_snapshot.json'))
}

/**
 * The newest snapshot of a folder, an empty one where there is none yet.
 *
 * @param prefixes those of the journal
 * @throws {MigrationError} `DB_MIGRATION_MISSING` when it belongs to no migration, or cannot be read
 */
export async function newestSnapshot (folder: string, prefixes: readonly string[]): Promise<Snapshot> {
  const newest = (await listSnapshots(folder)).at(-1)
  if (newest === undefined) return emptySnapshot()
  if (prefixes.includes(newest)) return await readSnapshot(folder, newest)
  throw new MigrationError(`meta/${newest}_snapshot.json belongs to no migration of the journal of ${folder}: remove it, or bring back the journal that names it`, 'DB_MIGRATION_MISSING')
}

/**
 * The snapshot that belongs to a prefix (`0003`), in the shape of version 7 whichever drizzle-kit wrote it.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` when it cannot be read, or is no snapshot
 */
export async function readSnapshot (folder: string, prefix: string): Promise<Snapshot> {
  const path = join(folder, 'meta', `${prefix}_snapshot.json`)
  let text: unknown
  try {
    text = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new MigrationError(`${path} is not there, or is not JSON: bring it back from version control`, 'DB_MIGRATION_MISSING', { cause })
  }
  return upgradeSnapshot(text, path, emptySnapshot())
}
