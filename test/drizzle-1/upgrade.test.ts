import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { check } from 'drizzle-kit-1/cli'
import t, { type Test } from 'tap'
import { checkMigrations, getMigrationHistory, rollbackMigrations, runMigrations, upgradeMigrations } from '../../src/migrations/index.js'
import { migrateByDrizzle } from '../src/migrations/drizzle-migrators.js'
import { build, tags } from '../src/migrations/setup.js'

/** The texts of all files of a folder, by path. */
function filesOf (folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const names = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  return Object.fromEntries(names.sort().map((name) => [name.slice(folder.length + 1), readFileSync(name, 'latin1')]))
}

/** The first migrations of a folder, as they were when the last of them was generated. */
function copyStart (from: string, to: string, count: number): void {
  const journal = JSON.parse(readFileSync(join(from, 'meta/_journal.json'), 'utf8'))
  const entries: Array<{ tag: string }> = journal.entries.slice(0, count)
  mkdirSync(join(to, 'meta'), { recursive: true })
  writeFileSync(join(to, 'meta/_journal.json'), JSON.stringify({ ...journal, entries }, null, 2))
  for (const { tag } of entries) {
    for (const name of [`${tag}.sql`, `${tag}.down.sql`, `meta/${tag.slice(0, 4)}_snapshot.json`]) {
      if (existsSync(join(from, name))) cpSync(join(from, name), join(to, name))
    }
  }
}

for (const [name, count] of [['examples/migrations/drizzle', 8]] as const) {
  t.test(`${name}: up and back`, async (t: Test) => {
    const { client, tables, ...options } = await build(t, [])
    copyStart(name, options.folder, count)
    const before = filesOf(options.folder)
    await runMigrations({ ...options, to: '0003_find_users_by_name' })
    await migrateByDrizzle(options.connectionString, options.folder, 'journal')
    const rows = 'select * from drizzle.__drizzle_migrations order by id'
    const rowsBefore = (await client.query(rows)).rows
    t.equal((await upgradeMigrations(options)).files.length, count * 3 + 1)
    t.strictSame(filesOf(options.folder), before)
    await upgradeMigrations({ ...options, write: true })
    t.match(await check({ dialect: 'postgresql', out: options.folder }), { status: 'ok' })
    await migrateByDrizzle(options.connectionString, options.folder, 'folders')
    t.strictSame(await checkMigrations(options), { ok: true, problems: [] })
    t.equal(tags(await getMigrationHistory(options)).length, count)
    await rollbackMigrations({ ...options, to: 'nothing', confirmIrreversible: true })
    await runMigrations(options)
    await upgradeMigrations({ ...options, write: true, back: true })
    t.strictSame(filesOf(options.folder), before)
    t.match((await client.query(rows)).rows, rowsBefore.map(({ id, ...row }) => row))
  })
}
