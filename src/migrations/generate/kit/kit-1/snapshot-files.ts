import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MigrationError } from '../../../../errors/errors.js'
import { findJournal } from '../../../folder/journal.js'
import { findMigrationFolders } from '../../../folder/migration-folders.js'
import { emptySnapshot } from '../../snapshots/snapshot.js'
import { loadApi } from './drizzle-kit.js'
import { snapshotOf } from './snapshot-of-state.js'
import type { Snapshot } from '../../snapshots/snapshot.js'

/** The content of a `snapshot.json`: a base or the changes since its parents. */
export interface SnapshotFile {
  readonly id: string
  readonly prevIds: readonly string[]
}

/** The snapshots of a folder by the names of their migrations, oldest first. */
export type SnapshotFiles = ReadonlyMap<string, SnapshotFile>

/** The id before the first migration. */
const origin = emptySnapshot().id

/**
 * Reads the snapshots of a folder; none if it is empty or does not exist.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` for a folder in the layout of drizzle-kit 0.31; `DB_MIGRATION_MISSING` if a file cannot be read
 */
export async function readSnapshotFiles (folder: string): Promise<Map<string, SnapshotFile>> {
  if (await findJournal(folder) !== undefined) {
    throw new MigrationError(
      `${folder} has the layout of drizzle-kit 0.31, a journal, but Drizzle 1.0 is installed, which cannot continue it: move it with data-access migrate upgrade --write`,
      'DB_MIGRATION_FAILED'
    )
  }
  const files = new Map<string, SnapshotFile>()
  for (const name of await findMigrationFolders(folder)) {
    const path = join(folder, name, 'snapshot.json')
    // drizzle-kit ignores a migration without a snapshot, too.
    if (existsSync(path)) files.set(name, await readSnapshotFile(path))
  }
  return files
}

async function readSnapshotFile (path: string): Promise<SnapshotFile> {
  let file: Partial<SnapshotFile> & { version?: unknown }
  try {
    file = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new MigrationError(`${path} is not JSON: restore it from version control`, 'DB_MIGRATION_MISSING', { cause })
  }
  const { id, prevIds, version } = file
  if (version === '9' && id !== undefined && prevIds !== undefined) return { ...file, id, prevIds }
  throw new MigrationError(
    `${path} has the version ${String(version)}, but drizzle-kit 1.0 writes version 9: an earlier release candidate wrote it (npx drizzle-kit up converts it), or it is not a snapshot`,
    'DB_MIGRATION_MISSING'
  )
}

/** The ids of the snapshots that no other builds on. There is more than one after a merge. */
export function newestIds (files: SnapshotFiles): string[] {
  const parents = new Set([...files.values()].flatMap(({ prevIds }) => prevIds))
  return [...files.values()].map(({ id }) => id).filter((id) => !parents.has(id))
}

/**
 * The snapshot with an id, or the one that several lead to together.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` with drizzle-kit's own words if the history has a gap, or contradicts itself
 */
export async function snapshotAt (files: SnapshotFiles, ids: readonly string[]): Promise<Snapshot> {
  const known = ids.filter((id) => id !== origin)
  if (known.length === 0) return emptySnapshot()
  const [id, all] = known.length === 1 ? [known[0]!, files] : joined(files, known)
  const { reconstruct } = await loadApi()
  try {
    return snapshotOf(await reconstruct(Object.fromEntries(all), id))
  } catch (cause) {
    throw new MigrationError(`drizzle-kit cannot read the snapshots: ${(cause as Error).message}`, 'DB_MIGRATION_MISSING', { cause })
  }
}

/** The snapshots with another one, which joins several and changes nothing. */
function joined (files: SnapshotFiles, prevIds: readonly string[]): [id: string, files: SnapshotFiles] {
  const id = randomUUID()
  // drizzle-kit wants it to sort after its parents.
  const name = `${[...files.keys()].at(-1)!}_joined`
  const file = { type: 'diff', version: '9', dialect: 'postgres', id, prevIds, footprints: [], deltas: [] }
  return [id, new Map<string, SnapshotFile>([...files, [name, file]])]
}
