import { copyFile, mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { MigrationError } from '../../errors/errors.js'
import { ignore } from '../../runtime/promises.js'
import { folderLayout, journalLayout, lockedFolder } from '../folder/layout.js'

/** A file that an upgrade moves, writes (without `from`) or removes (without `to`). The paths are within the folder. */
export interface FileChange {
  readonly from?: string
  readonly to?: string
}

/** A file that is moved. */
export interface FileMove extends FileChange {
  readonly from: string
  readonly to: string
}

/** The change of a folder from one layout to the other. */
export interface FolderChange {
  /** Files that are copied first, and removed last. */
  readonly moves: readonly FileMove[]
  /** The texts of new files, by path. */
  readonly texts: Readonly<Record<string, string>>
  /** The rename of the journal, which decides in one step which layout the folder has. */
  readonly journal: FileMove | undefined
  /** Files of the former layout that are removed last. */
  readonly removals: readonly string[]
}

/** The changes of a folder as a list. */
export function listChanges ({ moves, texts, journal, removals }: FolderChange): FileChange[] {
  return [...moves, ...Object.keys(texts).map((to) => ({ to })), ...journal === undefined ? [] : [journal], ...removals.map((from) => ({ from }))]
}

/**
 * Changes a folder: writes the files of the new layout, renames the journal, and removes the files of the former layout. If the process is killed, either
 * layout is complete, and another call finishes the work.
 *
 * @throws {MigrationError} `DB_MIGRATION_LOCKED` if a migration is being written into the folder; `DB_MIGRATION_FAILED` if the folder cannot be written
 */
export async function changeFolder (folder: string, change: FolderChange): Promise<void> {
  const locked = [journalLayout, folderLayout].find((layout) => existsSync(layout.lock(folder)))
  if (locked !== undefined) throw lockedFolder(folder, locked)
  try {
    await writeChange(folder, change)
  } catch (cause) {
    throw new MigrationError(`${folder} could not be changed (${(cause as Error).message}): fix the reason and run data-access migrate upgrade again. No file is lost`, 'DB_MIGRATION_FAILED', { cause })
  }
}

async function writeChange (folder: string, { moves, texts, journal, removals }: FolderChange): Promise<void> {
  for (const [path, text] of Object.entries(texts)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  for (const { from, to } of moves) await copy(join(folder, from), join(folder, to))
  if (journal !== undefined) await rename(join(folder, journal.from), join(folder, journal.to))
  for (const path of [...moves.map(({ from }) => from), ...removals]) {
    await rm(join(folder, path), { force: true })
    // A folder with files of the program's own stays.
    if (path.includes('/')) await rmdir(dirname(join(folder, path))).catch(ignore)
  }
}

/** Copies the bytes of a file: its hash must stay the same. */
async function copy (from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  await copyFile(from, to)
}

/** Whether two files have the same bytes. */
export async function isSameFile (one: string, other: string): Promise<boolean> {
  return existsSync(one) && existsSync(other) && (await readFile(one)).equals(await readFile(other))
}
