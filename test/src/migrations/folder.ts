import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A migration of a test. `when` is the time at which it was generated. */
export interface TestMigration {
  readonly tag: string
  readonly when: number
  readonly sql: string
  /** The text of its down file. Without it there is no down file. */
  readonly down?: string
}

/** Writes a folder as drizzle-kit generate does. */
export function writeFolder (folder: string, migrations: readonly TestMigration[]): string {
  mkdirSync(join(folder, 'meta'), { recursive: true })
  for (const { tag, sql, down } of migrations) {
    writeFileSync(join(folder, `${tag}.sql`), sql)
    if (down !== undefined) writeFileSync(join(folder, `${tag}.down.sql`), down)
  }
  const entries = migrations.map(({ tag, when }, idx) => ({ idx, version: '7', when, tag, breakpoints: true }))
  writeFileSync(join(folder, 'meta', '_journal.json'), JSON.stringify({ version: '7', dialect: 'postgresql', entries }))
  return folder
}

export const users: TestMigration = {
  tag: '0000_users',
  when: 1_700_000_000_000,
  sql: 'create table users (id int primary key);\n--> statement-breakpoint\ncreate index on users (id);'
}
export const posts: TestMigration = { tag: '0001_posts', when: 1_700_000_001_000, sql: 'create table posts (id int);' }
