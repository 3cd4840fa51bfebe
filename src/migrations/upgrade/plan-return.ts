import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { MigrationError } from '../../errors/errors.js'
import { folderLayout } from '../folder/layout.js'
import { journalMove, movesOf } from './plan-upgrade.js'
import type { FolderChange } from './folder-change.js'
import type { FolderState } from './folder-state.js'

/**
 * Plans the way back of a folder to the layout of drizzle-kit 0.31.
 *
 * @throws {MigrationError} `DB_MIGRATION_NO_DOWN` if the folder was not upgraded, or has migrations that were written since
 */
export async function planReturn ({ folder, layout, entries, names }: FolderState): Promise<FolderChange> {
  const moves = entries.flatMap(movesOf).map(({ from, to }) => ({ from: to, to: from })).filter(({ from }) => existsSync(join(folder, from)))
  const snapshots = entries.map(({ name }) => `${name}/snapshot.json`).filter((path) => existsSync(join(folder, path)))
  // The journal has come back already, or never left: its files are complete.
  if (!layout.isByName) return { moves: [], texts: {}, journal: undefined, removals: [...moves.map(({ from }) => from), ...snapshots] }
  if (entries.length === 0) throw noJournal(folder)
  refuseNewer(names.filter((name) => !entries.some((entry) => entry.name === name)), folder)
  const missing = entries.find(({ name }) => !existsSync(join(folder, folderLayout.upFile(name))))
  if (missing !== undefined) throw new MigrationError(folderLayout.missing(missing.name, folder), 'DB_MIGRATION_MISSING')
  const { from, to } = journalMove(folder)
  return { moves, texts: {}, journal: { from: to, to: from }, removals: snapshots }
}

function noJournal (folder: string): MigrationError {
  return new MigrationError(
    `${folder} cannot go back to the layout of drizzle-kit 0.31: it has no meta/_journal-0.31.json, which data-access migrate upgrade keeps. Restore the folder from version control`,
    'DB_MIGRATION_NO_DOWN'
  )
}

function refuseNewer (newer: readonly string[], folder: string): void {
  if (newer.length === 0) return
  throw new MigrationError(
    `${newer.join(', ')} in ${folder} ${newer.length === 1 ? 'was' : 'were'} written after the upgrade, and drizzle-kit 0.31 cannot read the snapshots of 1.0: roll back and remove these folders, go back, and generate the changes again with drizzle-kit 0.31`,
    'DB_MIGRATION_NO_DOWN'
  )
}
