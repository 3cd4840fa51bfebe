import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFolder, type TestMigration } from './folder.js'

/** The layouts of drizzle-kit 0.31 and 1.0. */
export type LayoutName = 'journal' | 'folders'

/** The name of the folder into which drizzle-kit 1.0 moves a migration: `20231114221320_users`. */
export function folderName ({ tag, when }: TestMigration): string {
  return `${new Date(when).toISOString().replaceAll(/\D/g, '').slice(0, 14)}_${tag.replace(/^\d+_/, '')}`
}

/** Writes a folder as drizzle-kit 1.0 does. */
export function writeFolders (folder: string, migrations: readonly TestMigration[]): string {
  for (const migration of migrations) {
    const path = join(folder, folderName(migration))
    mkdirSync(path, { recursive: true })
    writeFileSync(join(path, 'migration.sql'), migration.sql)
    writeFileSync(join(path, 'snapshot.json'), '{}')
    if (migration.down !== undefined) writeFileSync(join(path, 'down.sql'), migration.down)
  }
  return folder
}

/** Replaces a folder by the same migrations in a layout. */
export function rewrite (folder: string, layout: LayoutName, migrations: readonly TestMigration[]): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const write = layout === 'journal' ? writeFolder : writeFolders
  write(folder, migrations)
}
