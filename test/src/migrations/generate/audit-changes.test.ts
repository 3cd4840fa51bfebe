import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import pg from 'pg'
import t from 'tap'
import { audit, MigrationError, UsageError } from '../../../../src/index.js'
import { readLayout } from '../../../../src/migrations/folder/layout.js'
import { checkMigrations, createMigration, rollbackMigrations, runMigrations } from '../../../../src/migrations/index.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import type { AuditOptions } from '../../../../src/index.js'
import type { Test } from 'tap'

const users = (name = 'users') => pgTable(name, { id: integer().primaryKey(), name: text(), token: text() })

/** The table `users`, and its history with these options. */
function audited (options?: AuditOptions<'id' | 'name' | 'token'>, name?: string) {
  const table = users(name)
  return { users: table, usersHistory: audit(table, { name: 'users_history', ...options }) }
}

interface Catalogue { readonly object: string }

async function build (t: Test) {
  const { connectionString } = await createTestDatabase(t)
  const folder = t.testdir({})
  const client = new pg.Client({ connectionString })
  await client.connect()
  t.teardown(() => client.end())
  return {
    connectionString,
    folder,
    create: async (schema: Record<string, unknown>, renames: Record<string, string> = {}) => {
      return (await createMigration({ message: 'next', schema, folder, renames })).created
    },
    up: () => runMigrations({ connectionString, folder }),
    down: () => rollbackMigrations({ connectionString, folder, confirmIrreversible: true }),
    problems: async (schema: Record<string, unknown>) => (await checkMigrations({ connectionString, folder, schema })).problems.map(({ kind }) => kind),
    /** The triggers, functions and policies. */
    objects: async () => (await client.query<Catalogue>(`
      select pg_get_triggerdef(oid) as object from pg_trigger where not tgisinternal
      union all select pg_get_functiondef(oid) || proacl::text from pg_proc where pronamespace = 'public'::regnamespace
      union all select tablename || policyname || qual from pg_policies order by 1`)).rows.map(({ object }) => object),
    operations: async () => (await client.query<{ operations: string[] }>('select array_agg(operation order by id) as operations from users_history')).rows[0]?.operations,
    run: (sql: string) => client.query(sql)
  }
}

/** The SQL of the newest migration, and of its way back. */
async function newest (folder: string): Promise<{ up: string, down: string }> {
  const { layout, entries } = await readLayout(folder)
  const tag = String(entries.at(-1)?.tag)
  const read = (name: string) => readFile(join(folder, name), 'utf8')
  return { up: await read(layout.upFile(tag)), down: await read(layout.downFile(tag)) }
}

t.test('an audit is added, removed again by the way back, and added once more', async (t) => {
  const { create, up, down, objects, operations, problems, run, folder } = await build(t)
  await create({ users: users() })
  await up()
  await run("insert into users values (1, 'a')")
  const schema = audited()
  t.strictSame(await problems(schema), ['model'])
  t.match(await create(schema), { irreversible: [] })
  t.equal(await create(schema), undefined, 'there is nothing more to do')
  t.notMatch((await newest(folder)).down, /irreversible/)
  const without = await objects()
  for (const turn of [1, 2]) {
    await up()
    t.strictSame(await problems(schema), [])
    t.equal((await objects()).length, 5, 'two triggers, two functions, and a policy')
    await run("update users set name = name || 'b' where id = 1")
    t.strictSame(await operations(), ['update'], `turn ${turn}`)
    await down()
    t.strictSame(await objects(), without)
  }
})

t.test('an audit that changes without a change of the tables is a migration with a way back', async (t) => {
  const { create, up, down, objects, operations, run, folder } = await build(t)
  await create(audited())
  await up()
  const before = await objects()
  const masked = audited({ mask: ['token'] })
  t.match(await create(masked), { irreversible: [] })
  t.notMatch(await newest(folder), { up: /CREATE TABLE/ })
  await up()
  await run("insert into users values (1, 'a', 'hunter2'); update users set token = 'hunter3'")
  t.strictSame((await run("select from users_history h where h::text like '%hunter%'")).rows, [])
  const after = await objects()
  t.strictNotSame(after, before)
  await down()
  t.strictSame(await objects(), before)
  t.strictSame(await operations(), ['insert', 'update'], 'the entries stay')
  await up()
  t.strictSame(await objects(), after)
  t.equal(await create(masked), undefined)
})

t.test('an audit that the model no longer has is dropped with its history, and comes back', async (t) => {
  const { create, up, down, objects, run } = await build(t)
  await create(audited())
  await up()
  const before = await objects()
  t.match(await create({ users: users() }), { irreversible: ['the rows of users_history'] })
  await up()
  t.strictSame(await objects(), [])
  await run("insert into users values (1, 'a')")
  await down()
  t.strictSame(await objects(), before)
  await up()
  t.match(await create({}), { irreversible: ['the rows of users'] })
})

t.test('a table and its audit are dropped together, and come back', async (t) => {
  const { create, up, down, objects } = await build(t)
  await create(audited())
  await up()
  const before = await objects()
  await create({})
  await up()
  t.strictSame(await objects(), [])
  await down()
  t.strictSame(await objects(), before)
})

t.test('a table that is renamed keeps its history', async (t) => {
  const { create, up, down, operations, objects, run } = await build(t)
  await create(audited())
  await up()
  await run('insert into users values (1)')
  const before = await objects()
  await create(audited({}, 'people'), { users: 'people' })
  await up()
  await run("update people set name = 'b'")
  t.strictSame(await operations(), ['insert', 'update'])
  await down()
  t.strictSame(await objects(), before)
  await run('delete from users')
  t.strictSame(await operations(), ['insert', 'update', 'delete'])
})

t.test('files without breakpoints are read, too', async (t) => {
  const { folder, up, objects, create } = await build(t)
  const schema = audited()
  await createMigration({ message: 'start', schema, folder, breakpoints: false })
  t.equal(await create(schema), undefined)
  await up()
  t.equal((await objects()).length, 5)
})

t.test('a file of the folder that is missing does not stand in the way of the next', async (t) => {
  const { folder, create } = await build(t)
  await create({ users: users() })
  const { layout, entries } = await readLayout(folder)
  await rm(join(folder, layout.upFile(String(entries[0]?.tag))))
  t.ok(await create(audited()))
})

t.test('a history table that is not exported, and a masked key, are refused', async (t) => {
  const { create } = await build(t)
  const { users } = audited()
  await t.rejects(create({ users }), new MigrationError('The table users has an audit, but its history table is not in the schema: export what audit() returns, which is the table users_history', 'DB_MIGRATION_FAILED'))
  await t.rejects(create(audited({ mask: ['id'] })), new UsageError('The primary key of "users" is in every entry of its history, so audit() cannot mask "id"'))
})
