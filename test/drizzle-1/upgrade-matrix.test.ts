import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { check } from 'drizzle-kit-1/cli'
import { generateDrizzleJson, generateMigration, reconstruct } from 'drizzle-kit-1/api-postgres'
import { index, integer, pgEnum, snakeCase, text } from 'drizzle-orm-1/pg-core'
import t, { type Test } from 'tap'
import { checkMigrations, getMigrationHistory, rollbackMigrations, runMigrations, upgradeMigrations } from '../../src/migrations/index.js'
import { migrateByDrizzle } from '../src/migrations/drizzle-migrators.js'
import { build, tags } from '../src/migrations/setup.js'
import { copyStart, entriesOf, filesOf } from '../src/migrations/upgrade/folders.js'
import type { LayoutName } from '../src/migrations/layouts.js'

// Each point of the history of the examples: applied by this package or by Drizzle, upgraded by the command, by the next run of this package, or by
// Drizzle's own migrator; then the rest of the history in the new layout, by the other one; down to nothing, up again, and back to 0.31.

type Tool = 'this package' | 'drizzle'
type Upgrade = 'the command' | Tool

const concurrent = 'find_users_by_name'
const examples = [['examples/migrations/drizzle', 8], ['examples/realworld/migrations', 1]] as const
const table = 'select id, hash, created_at, name from drizzle.__drizzle_migrations order by id'
const originalTable = 'select * from drizzle.__drizzle_migrations order by id'

const root = t.testdir({})

/** The whole history of an example, upgraded at its end. */
const wholeOf = (example: string) => join(root, example.replaceAll('/', '-'))

t.before(async () => {
  for (const [example, total] of examples) {
    copyStart(example, wholeOf(example), total)
    await upgradeMigrations({ folder: wholeOf(example), connectionString: '', write: true })
  }
})

/** Applies a folder. Drizzle cannot run a file outside a transaction, so this package runs the files up to that one. */
async function apply (by: Tool, { connectionString, folder }: { connectionString: string, folder: string }, layout: LayoutName): Promise<void> {
  const { problems } = await checkMigrations({ connectionString, folder })
  const stop = problems.find(({ tag }) => tag?.endsWith(concurrent) === true)?.tag
  if (by === 'this package' || stop !== undefined) await runMigrations({ connectionString, folder, to: by === 'this package' ? undefined : stop })
  if (by === 'drizzle') await migrateByDrizzle(connectionString, folder, layout)
}

async function upgrade (by: Upgrade, options: { connectionString: string, folder: string }): Promise<void> {
  await upgradeMigrations({ ...options, write: true, ...by !== 'the command' && { connectionString: '' } })
  if (by !== 'the command') await apply(by, options, 'folders')
}

for (const [example, total] of examples) {
  for (let count = 1; count <= total; count++) {
    // Every combination at the end of the history, and one of them at each point before.
    const all = [['this package', 'the command'], ['drizzle', 'this package'], ['this package', 'drizzle'], ['drizzle', 'the command']] as const
    for (const [first, second] of count === total ? all : [all[count % all.length]!]) {
      t.test(`${example}, ${count} applied by ${first}, upgraded by ${second}: no file runs twice, none is skipped, and every status agrees`, async (t: Test) => {
        const { client, tables, ...options } = await build(t, [])
        copyStart(example, options.folder, count)
        const before = filesOf(options.folder)
        const journal = entriesOf(options.folder)
        await apply(first, options, 'journal')
        const rows = (await client.query(originalTable)).rows

        await upgrade(second, options)
        t.strictSame((await client.query(table)).rows.map(({ name, ...row }) => row), rows, 'ids, hashes and times stay')
        t.match(await check({ dialect: 'postgresql', out: options.folder }), { status: 'ok' })
        await upgradeMigrations({ ...options, write: true, back: true })
        t.strictSame(filesOf(options.folder), before)
        t.strictSame((await client.query(originalTable)).rows, rows)
        await upgrade(second, options)

        const names = (await getMigrationHistory(options)).map(({ tag }) => tag)
        t.strictSame(names.map((name) => name.slice(15)), journal.map(({ tag }) => tag.slice(5)))
        t.strictSame((await client.query(table)).rows.map(({ name }) => name), names)
        for (const by of ['drizzle', 'this package'] as const) await apply(by, options, 'folders')
        t.equal((await client.query(table)).rowCount, count, 'no file runs twice')

        // The migrations that were written since.
        cpSync(wholeOf(example), options.folder, { recursive: true, filter: (path) => !path.includes('meta') })
        await apply(first === 'drizzle' ? 'this package' : 'drizzle', options, 'folders')
        t.strictSame(await checkMigrations(options), { ok: true, problems: [] })
        t.strictSame((await client.query(table)).rows.map(({ name }) => name), tags(await getMigrationHistory(options)))
        t.equal((await client.query(table)).rowCount, total, 'none is skipped')

        await rollbackMigrations({ ...options, to: 'nothing', confirmIrreversible: true })
        t.strictSame(await tables(), [])
        for (const by of [first, 'drizzle', 'this package'] as const) await apply(by, options, 'folders')
        t.equal((await client.query(table)).rowCount, total)
        if (count < total) return t.rejects(upgradeMigrations({ ...options, back: true }), { code: 'DB_MIGRATION_NO_DOWN' })

        await upgradeMigrations({ ...options, write: true, back: true })
        t.strictSame(filesOf(options.folder), before)
        t.strictSame((await client.query(originalTable)).rows.map(({ id, ...row }) => row), rows.map(({ id, ...row }) => row))
        for (const by of ['drizzle', 'this package'] as const) await apply(by, options, 'journal')
        t.equal((await client.query(originalTable)).rowCount, total)
        t.strictSame(await checkMigrations(options), { ok: true, problems: [] })
        return undefined
      })
    }
  }
}

t.test('drizzle-kit 1.0 finds no difference between the upgraded folder and the model', async (t) => {
  const folder = wholeOf('examples/migrations/drizzle')
  const role = pgEnum('role', ['reader', 'author', 'editor'])
  const users = snakeCase.table('users', {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    email: text().notNull().unique(),
    fullName: text().notNull(),
    nickname: text().notNull(),
    role: role().notNull().default('reader')
  }, (table) => [index().on(table.fullName).concurrently()])
  const posts = snakeCase.table('posts', {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    authorId: integer().notNull().references(() => users.id, { onDelete: 'cascade' }),
    title: text().notNull()
  }, (table) => [index().on(table.authorId)])
  const snapshots = Object.entries(filesOf(folder)).filter(([path]) => path.endsWith('/snapshot.json')).map(([path, json]) => [path, JSON.parse(json)])
  t.equal(snapshots.length, 8)
  t.strictSame(await generateMigration(await reconstruct(Object.fromEntries(snapshots)), await generateDrizzleJson({ role, users, posts })), [])
})
