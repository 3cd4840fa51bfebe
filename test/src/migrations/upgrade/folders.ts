import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { projectRoot } from '../../../house/source-files.js'

/** The texts of all files of a folder, by path. */
export function filesOf (folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const names = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  return Object.fromEntries(names.sort().map((name) => [name.slice(folder.length + 1), readFileSync(name, 'latin1')]))
}

/** Replaces a folder by files. */
export function writeFiles (folder: string, files: Readonly<Record<string, string>>): void {
  rmSync(folder, { recursive: true, force: true })
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text, 'latin1')
  }
}

interface Entry { readonly tag: string, readonly when: number }

/** The migrations of a folder's journal. */
export function entriesOf (folder: string): Entry[] {
  return JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8')).entries
}

/** Replaces a folder by the first migrations of an example, as they were when the last of them was generated. */
export function copyStart (example: string, folder: string, count: number): string {
  const from = join(projectRoot, example)
  const journal = JSON.parse(readFileSync(join(from, 'meta/_journal.json'), 'utf8'))
  const entries = entriesOf(from).slice(0, count)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'meta'), { recursive: true })
  writeFileSync(join(folder, 'meta/_journal.json'), JSON.stringify({ ...journal, entries }, null, 2))
  for (const { tag } of entries) {
    for (const name of [`${tag}.sql`, `${tag}.down.sql`, `meta/${tag.slice(0, 4)}_snapshot.json`]) {
      if (existsSync(join(from, name))) cpSync(join(from, name), join(folder, name))
    }
  }
  return folder
}
