import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { MigrationError } from '../../errors/errors.js'
import { journalOf, keptJournalOf } from '../folder/journal.js'
import { folderLayout, journalLayout, type MigrationEntry } from '../folder/layout.js'
import { sortsAfter } from '../folder/migration-folders.js'
import { convertSnapshots } from './convert-snapshots.js'
import { isSameFile, type FileMove, type FolderChange } from './folder-change.js'
import type { FolderState } from './folder-state.js'

/**
 * Plans the change of a folder to the layout of drizzle-kit 1.0. A folder that has it needs no change, except the rest of an interrupted upgrade, and ways
 * back that `drizzle-kit up` has left behind.
 *
 * @throws {MigrationError} if a migration is missing or cannot be moved, or drizzle-kit refuses the snapshots
 */
export async function planUpgrade ({ folder, layout, entries, names }: FolderState): Promise<FolderChange> {
  refuseUnsorted(entries)
  const missing = entries.find(({ tag, name }) => !existsSync(join(folder, journalLayout.upFile(tag))) && !(layout.isByName && names.includes(name)))
  if (missing !== undefined) throw new MigrationError(journalLayout.missing(missing.tag, folder), 'DB_MIGRATION_MISSING')
  const moves = entries.flatMap(movesOf).filter(({ from }) => existsSync(join(folder, from)))
  if (!layout.isByName) return { moves, texts: await convertSnapshots(folder, entries), journal: journalMove(folder), removals: [] }
  // A branch that was merged after the upgrade adds its migrations to the kept journal.
  const added = entries.filter(({ name, tag }) => !names.includes(name) && existsSync(join(folder, journalLayout.upFile(tag))))
  const texts = added.length === 0 ? {} : await convertSnapshots(folder, entries)
  const textsOfAdded = Object.entries(texts).filter(([path]) => added.some(({ name }) => path === `${name}/snapshot.json`))
  return { ...await planRest(folder, [...moves, ...entries.length > 0 ? [] : await leftWaysBack(folder, names)]), texts: Object.fromEntries(textsOfAdded) }
}

/** The files of a migration, in the layouts of 0.31 and 1.0. */
export function movesOf ({ tag, name }: MigrationEntry): FileMove[] {
  return [
    { from: journalLayout.upFile(tag), to: folderLayout.upFile(name) },
    { from: journalLayout.downFile(tag), to: folderLayout.downFile(name) }
  ]
}

/** The journal stays in the folder under another name, and the former snapshots beside it: drizzle-kit 1.0 does not read them, and the way back needs them. */
export function journalMove (folder: string): FileMove {
  return { from: `meta/${basename(journalOf(folder))}`, to: `meta/${basename(keptJournalOf(folder))}` }
}

/** The moves that an interrupted upgrade has not finished. A file that differs from its copy stays, and `check` reports it. */
async function planRest (folder: string, candidates: readonly FileMove[]): Promise<Omit<FolderChange, 'texts'>> {
  const moves = candidates.filter(({ to }) => !existsSync(join(folder, to)))
  const removals: string[] = []
  for (const { from, to } of candidates) {
    if (await isSameFile(join(folder, from), join(folder, to))) removals.push(from)
  }
  return { moves, journal: undefined, removals }
}

/** The ways back beside migration folders, where the words of their tags name one folder. */
async function leftWaysBack (folder: string, names: readonly string[]): Promise<FileMove[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.down.sql')).sort()
  return files.flatMap((from) => {
    const words = basename(from, '.down.sql').split('_').slice(1).join('_')
    const [name, ...others] = names.filter((each) => each.slice(15) === words)
    return name === undefined || others.length > 0 ? [] : [{ from, to: folderLayout.downFile(name) }]
  })
}

function refuseUnsorted (entries: readonly MigrationEntry[]): void {
  const index = entries.findIndex(({ name }, at) => !sortsAfter(name, entries[at - 1]?.name))
  const [former, entry] = [entries[index - 1], entries[index]]
  if (former === undefined || entry === undefined) return
  throw new MigrationError(
    `${former.tag} and ${entry.tag} were generated in the same second, and the names of their folders would not sort in this order: rename the second one, its files and its tag in the journal, so that its name sorts after the first, and run data-access migrate upgrade again`,
    'DB_MIGRATION_FAILED'
  )
}
