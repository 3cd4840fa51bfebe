import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { installedKit } from '../../../../src/migrations/generate/installed-kit.js'
import { createMigration } from '../../../../src/migrations/index.js'
import type { Test } from 'tap'
import type { Snapshot } from '../../../../src/migrations/generate/snapshots/snapshot.js'

export const boat = pgTable('boat', { id: integer().primaryKey() })
export const labelled = pgTable('boat', { id: integer().primaryKey(), label: text() })
export const crew = pgTable('crew', { id: integer().primaryKey() })

/** The paths of a migration's SQL and of its way back, in the layout of the installed drizzle-kit. */
export function filesOf (folder: string, tag: string): { up: string, down: string } {
  const { layout } = installedKit()
  return { up: join(folder, layout.upFile(tag)), down: join(folder, layout.downFile(tag)) }
}

/** The SQL of a migration, and of its way back. */
export function textsOf (folder: string, tag: string): { up: string, down: string } {
  const { up, down } = filesOf(folder, tag)
  return { up: readFileSync(up, 'utf8'), down: readFileSync(down, 'utf8') }
}

/** A folder with a migration from each model to the next, without ways back. */
export async function buildGenerated (t: Test, models: ReadonlyArray<Record<string, unknown>>) {
  const folder = t.testdir()
  const tags: string[] = []
  for (const [index, schema] of models.entries()) {
    const { created } = await createMigration({ folder, schema, message: `step ${index}`, renames: {} })
    tags.push(created!.tag)
    rmSync(filesOf(folder, created!.tag).down)
  }
  const file = (index: number) => filesOf(folder, tags[index]!).up
  return {
    folder,
    tags,
    read: (index: number) => readFileSync(file(index), 'utf8'),
    write: (index: number, text: string) => writeFileSync(file(index), text),
    /** Only for the layout of drizzle-kit 0.31. */
    edit: (index: number, change: (snapshot: Snapshot) => void) => {
      const path = join(folder, 'meta', `000${index}_snapshot.json`)
      const snapshot: Snapshot = JSON.parse(readFileSync(path, 'utf8'))
      change(snapshot)
      writeFileSync(path, JSON.stringify(snapshot))
    },
    down: (index: number) => readFileSync(filesOf(folder, tags[index]!).down, 'utf8')
  }
}
