import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDrizzle1 } from '../../helpers/drizzle.js'
import { writeFolder, type TestMigration } from './folder.js'

/** The layouts of drizzle-kit 0.31 and 1.0. */
export type LayoutName = 'journal' | 'folders'

/** The layout that the installed Drizzle writes. */
export const installedLayout: LayoutName = isDrizzle1 ? 'folders' : 'journal'

/** The name of the folder into which drizzle-kit 1.0 moves a migration: `20231114221320_users`. */
export function folderName ({ tag, when }: TestMigration): string {
  return `${new Date(when).toISOString().replaceAll(/\D/g, '').slice(0, 14)}_${tag.replace(/^\d+_/, '')}`
}

/** Writes a folder as drizzle-kit 1.0 does. */
export function writeFolders (folder: string, migrations: readonly TestMigration[]): string {
  const origin = '00000000-0000-0000-0000-000000000000'
  let previous = origin
  for (const migration of migrations) {
    const path = join(folder, folderName(migration))
    mkdirSync(path, { recursive: true })
    writeFileSync(join(path, 'migration.sql'), migration.sql)
    const content = previous === origin ? { type: 'base', ddl: [] } : { type: 'diff', deltas: [] }
    const snapshot = { ...content, version: '9', dialect: 'postgres', id: migration.tag, prevIds: [previous], footprints: [] }
    writeFileSync(join(path, 'snapshot.json'), JSON.stringify(snapshot))
    previous = migration.tag
    if (migration.down !== undefined) writeFileSync(join(path, 'down.sql'), migration.down)
  }
  return folder
}

/** The tags of migrations in a layout. */
export function tagsIn (layout: LayoutName, migrations: readonly TestMigration[]): string[] {
  return migrations.map((migration) => layout === 'journal' ? migration.tag : folderName(migration))
}

/** Replaces a folder by the same migrations in a layout. */
export function rewrite (folder: string, layout: LayoutName, migrations: readonly TestMigration[]): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const write = layout === 'journal' ? writeFolder : writeFolders
  write(folder, migrations)
}
