import { cpSync, appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import t from 'tap'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { queryOnce } from '../../../helpers/backend.js'
import { snakeCase } from '../../../helpers/drizzle.js'
import type { Database } from '../../../../src/index.js'
import type { TestDatabaseOptions } from '../../../../src/testing/index.js'
import type { Test } from '../../../helpers/test.js'

/** Another URL of the same server, for which this process has no connection yet: it acts as another process. */
let urls = 0
async function anotherUrl (t: Test): Promise<string> {
  const { connectionString } = await createTestDatabase(t)
  const url = new URL(connectionString)
  url.pathname = '/postgres'
  url.searchParams.set('application_name', `url ${++urls}`)
  return url.href
}

const templates = (connectionString: string) =>
  queryOnce<{ datname: string }>(
    connectionString,
    "select datname from pg_database where datname like 'data\\_access\\_template\\_%'"
  ).then((rows) => rows.map(({ datname }) => datname))

const tablesIn = async (database: Database) =>
  (await database.execute<{ name: string }>(sql`select tablename as name from pg_tables where schemaname = 'public' order by 1`)).rows.map(({ name }) => name)

t.test('migrations run once, and each database is a clone of the result', async (t) => {
  const options: TestDatabaseOptions = { migrations: 'drizzle' }
  const [one, two] = await Promise.all([createTestDatabase(t, options), createTestDatabase(t, options)])
  await one.database.execute(sql`drop table posts`)
  const three = await createTestDatabase(t, { migrations: { folder: 'drizzle' } })

  t.strictSame(await tablesIn(one.database), ['users'])
  t.strictSame(await tablesIn(two.database), ['posts', 'users'])
  t.strictSame(await tablesIn(three.database), ['posts', 'users'])
})

t.test('a changed migration makes another template', async (t) => {
  const folder = t.testdir()
  cpSync('drizzle', folder, { recursive: true })
  const { database: before } = await createTestDatabase(t, { migrations: folder })
  appendFileSync(join(folder, '0000_users_and_posts.sql'), '\n--> statement-breakpoint\ncreate table added (id int);')
  const { database: after } = await createTestDatabase(t, { migrations: folder })

  t.strictSame(await tablesIn(before), ['posts', 'users'])
  t.strictSame(await tablesIn(after), ['added', 'posts', 'users'])
})

t.test('functions run once for all processes, in order, with the options of the database', async (t) => {
  const calls = t.testdir({ calls: '' })
  const note = (text: string) => writeFileSync(join(calls, 'calls'), text, { flag: 'a' })
  const options: TestDatabaseOptions = {
    migrations: 'drizzle',
    ...snakeCase,
    migrate: async (database) => { note('migrate '); await database.execute(sql`create table notes (id int)`) },
    seed: async (database) => { note('seed '); await database.execute(sql`insert into notes values (1)`) }
  }
  const urls = [await anotherUrl(t), await anotherUrl(t), await anotherUrl(t)]
  const all = await Promise.all(urls.map((connectionString) => createTestDatabase(t, { ...options, connectionString })))

  t.equal(readFileSync(join(calls, 'calls'), 'utf8'), 'migrate seed ')
  for (const { database } of all) t.match(await database.execute(sql`select id from notes`), { rows: [{ id: 1 }] })
  await createTestDatabase(t, { ...options, templateKey: 'other' })
  t.equal(readFileSync(join(calls, 'calls'), 'utf8'), 'migrate seed migrate seed ')
})

t.test('a template that cannot be made is an error, and the next call tries again', async (t) => {
  let fails = true
  const migrate = async (database: Database) => {
    await database.execute(sql`create table half (id int)`)
    if (fails) throw new Error('not yet')
  }
  await t.rejects(createTestDatabase(t, { migrate }), { message: 'not yet' })
  await t.rejects(createTestDatabase(t, { migrations: 'no-such-folder' }), { code: 'DB_MIGRATION_MISSING' })
  fails = false
  const { database } = await createTestDatabase(t, { migrate })

  t.strictSame(await tablesIn(database), ['half'])
})

t.test('a new template drops those that were unused for a day, and keeps others', async (t) => {
  const connectionString = await anotherUrl(t)
  const at = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString()
  for (const [name, hours] of [['old', 25], ['new', 23]] as const) {
    await queryOnce(connectionString, `create database data_access_template_${name}`)
    await queryOnce(connectionString, `comment on database data_access_template_${name} is '${at(hours)}'`)
  }
  t.teardown(async () => { await queryOnce(connectionString, 'drop database data_access_template_new') })
  await createTestDatabase(t, { connectionString, seed: () => 'makes a new one' })

  t.ok((await templates(connectionString)).includes('data_access_template_new'))
  t.notOk((await templates(connectionString)).includes('data_access_template_old'))
})

t.test('a template that is used stays', async (t) => {
  const options = { seed: () => 'used', connectionString: await anotherUrl(t) }
  const before = await templates(options.connectionString)
  await createTestDatabase(t, options)
  const [name] = (await templates(options.connectionString)).filter((name) => !before.includes(name))
  // Less than a day ago: other processes drop what was unused for longer.
  const twoHoursAgo = new Date(Date.now() - 2 * 3_600_000).toISOString()
  await queryOnce(options.connectionString, `comment on database ${name} is '${twoHoursAgo}'`)
  await createTestDatabase(t, { ...options, connectionString: await anotherUrl(t) })

  const [row] = await queryOnce<{ used: string }>(
    options.connectionString,
    `select shobj_description(oid, 'pg_database') as used from pg_database where datname = '${name}'`
  )
  t.ok(String(row?.used) > twoHoursAgo)
})
