import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A migration as a test writes it; `when` is its place in time. */
export interface TestMigration {
  readonly tag: string
  readonly when: number
  readonly sql: string
  /** What its down file holds; none unless given. */
  readonly down?: string
}

/** Writes a folder as drizzle-kit generate leaves it behind. */
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
