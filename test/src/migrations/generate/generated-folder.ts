import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { createMigration } from '../../../../src/migrations/index.js'
import type { Test } from 'tap'
import type { Snapshot } from '../../../../src/migrations/generate/snapshots/snapshot.js'

export const boat = pgTable('boat', { id: integer().primaryKey() })
export const labelled = pgTable('boat', { id: integer().primaryKey(), label: text() })
export const crew = pgTable('crew', { id: integer().primaryKey() })

/** A folder with a migration from each model to the next, without ways back. */
export async function buildGenerated (t: Test, models: ReadonlyArray<Record<string, unknown>>) {
  const folder = t.testdir()
  for (const [index, schema] of models.entries()) {
    await createMigration({ folder, schema, message: `step ${index}`, renames: {} })
    rmSync(join(folder, `000${index}_step_${index}.down.sql`))
  }
  const file = (index: number) => join(folder, `000${index}_step_${index}.sql`)
  return {
    folder,
    read: (index: number) => readFileSync(file(index), 'utf8'),
    write: (index: number, text: string) => writeFileSync(file(index), text),
    edit: (index: number, change: (snapshot: Snapshot) => void) => {
      const path = join(folder, 'meta', `000${index}_snapshot.json`)
      const snapshot: Snapshot = JSON.parse(readFileSync(path, 'utf8'))
      change(snapshot)
      writeFileSync(path, JSON.stringify(snapshot))
    },
    down: (index: number) => readFileSync(join(folder, `000${index}_step_${index}.down.sql`), 'utf8')
  }
}
