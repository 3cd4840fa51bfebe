import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { hasTime } from '../folder/migration-folders.js'
import type { MigrationFolder } from '../folder/migration-files.js'
import type { MigrationProblem } from './problems.js'

/** SQL files that belong to no migration. Neither drizzle-kit nor this package runs them. */
export async function unlistedFiles ({ folder, layout, files }: MigrationFolder & { readonly folder: string }): Promise<MigrationProblem[]> {
  const known = new Set(files.flatMap(({ tag }) => [layout.upFile(tag), layout.downFile(tag)]))
  const names = [...await sqlFiles(folder), ...layout.isByName ? await filesOfMigrationFolders(folder) : []]
  const reason = layout.isByName
    ? 'but is neither the migration.sql nor the down.sql of a migration, so it never runs: move it to the folder of its migration under that name, as data-access migrate upgrade does after drizzle-kit up, or away'
    : 'but not in meta/_journal.json, so it never runs: restore its entry, as after a merge, or move the file away'
  return names.filter((name) => !known.has(name)).sort().map((name) => ({
    kind: 'unlisted', tag: name.replace(/(?:\/.*|(?:\.down)?\.sql)$/, ''), message: `${name} is in the folder, ${reason}`
  }))
}

async function sqlFiles (folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.sql'))
}

async function filesOfMigrationFolders (folder: string): Promise<string[]> {
  const folders = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory() && hasTime(entry.name))
  const files = await Promise.all(folders.map(async ({ name }) => (await sqlFiles(join(folder, name))).map((file) => `${name}/${file}`)))
  return files.flat()
}
