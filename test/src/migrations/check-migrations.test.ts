import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { integer, pgEnum, pgTable, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { checkMigrations, createMigration, runMigrations } from '../../../src/migrations/index.js'
import { posts, users, writeFolder } from './folder.js'
import { build } from './setup.js'

t.test('a folder and a database that match have no problems', async (t) => {
  const { tables, ...options } = await build(t)
  await runMigrations(options)

  t.strictSame(await checkMigrations(options), { ok: true, problems: [] })
})

t.test('reports every difference, and changes nothing', async (t) => {
  const likes = { tag: '0002_likes', when: 1_700_000_002_000, sql: 'create table likes (id int)' }
  const { client, tables, ...options } = await build(t, [posts, likes])
  await runMigrations(options)
  writeFolder(options.folder, [users, { ...posts, sql: 'edited' }, { ...users, tag: '0003_newer', when: likes.when + 1, sql: 'vacuum' }])

  const { ok, problems } = await checkMigrations(options)
  t.equal(ok, false)
  t.strictSame(problems.map(({ kind, tag }) => [kind, tag]), [
    ['edited', '0001_posts'], ['missing', undefined], ['outOfOrder', '0000_users'], ['unfit', '0003_newer'], ['pending', '0000_users'],
    ['pending', '0003_newer'], ['unlisted', '0002_likes']
  ])
  t.match(problems.map(({ message }) => message), [
    /^0001_posts\.sql was edited/, /generated 2023/, /^0000_users\.sql is older/, /VACUUM: cannot run in a transaction/, /not applied yet/,
    /not applied yet/, /^0002_likes\.sql is in the folder/
  ])
  t.strictSame(await tables(), ['likes', 'posts'])
})

t.test('reports SQL files that the journal does not list, and applies the others', async (t) => {
  const { tables, ...options } = await build(t)
  for (const name of ['0001_likes.sql', '0002_gone.down.sql', '0001_posts.down.sql', 'notes.txt']) writeFileSync(join(options.folder, name), '')
  await runMigrations(options)

  const { problems } = await checkMigrations(options)
  t.match(problems, [
    { kind: 'unlisted', tag: '0001_likes', message: /^0001_likes\.sql is in the folder, but not in meta\/_journal\.json/ },
    { kind: 'unlisted', tag: '0002_gone', message: /^0002_gone\.down\.sql / }
  ])
  t.equal(problems.length, 2)
})

t.test('reports a file that stopped halfway', async (t) => {
  const { tables, ...options } = await build(t, [{ ...users, sql: '-- data-access: no-transaction\ncreate table users (id int); select 1 / 0', down: '' }])
  await t.rejects(runMigrations(options))
  t.match((await checkMigrations(options)).problems[0], {
    kind: 'unfinished', tag: '0000_users', message: /^0000_users\.sql stopped after 1 of its statements, which have taken effect: apply again/
  })

  writeFileSync(join(options.folder, '0000_users.sql'), '-- data-access: no-transaction\ncreate table users (id int); select 1')
  await runMigrations(options)
  t.strictSame(await checkMigrations(options), { ok: true, problems: [] })
})

t.test('takes the database of DATABASE_URL and the folder ./drizzle unless told otherwise', async (t) => {
  const { connectionString } = await build(t, [])
  t.intercept(process, 'env', { value: { ...process.env, DATABASE_URL: connectionString } })

  t.ok((await checkMigrations()).problems.every(({ kind }) => kind === 'pending'))
})

t.test('reports the names of constraints that neither the database nor a pending file has, and proposes the nearest one', async (t) => {
  const prices = { tag: '0001_prices', when: 1_700_000_001_000, sql: 'create table prices (price int constraint price_positive check (price > 0))' }
  const { client, tables, ...options } = await build(t, [users, prices])
  await runMigrations({ ...options, to: users.tag })

  const constraints = ['users_pkey', 'user_pkey', 'price_positive', 'orders_total_check']
  const found = (await checkMigrations({ ...options, constraints })).problems
  const beginning = 'No table and no pending migration has a constraint with the name'
  t.strictSame(found, [
    { kind: 'pending', tag: '0001_prices', message: '0001_prices.sql is not applied yet' },
    { kind: 'constraint', message: `${beginning} "user_pkey", so its reply is never sent: write "users_pkey", if it is meant` },
    { kind: 'constraint', message: `${beginning} "orders_total_check", so its reply is never sent: write the name that the database has` }
  ])

  await runMigrations(options)
  t.strictSame(await checkMigrations({ ...options, constraints: ['price_positive', 'users_pkey'] }), { ok: true, problems: [] })
  t.strictSame(await checkMigrations({ ...options, constraints: [] }), { ok: true, problems: [] })
})

t.test('the tables of the model have constraints, too, before a migration creates them', async (t) => {
  const { connectionString } = await build(t, [])
  const folder = t.testdir({})
  const places = pgTable('places', { id: integer() })
  await createMigration({ folder, schema: { places }, message: 'places' })
  const people = pgTable('people', { id: integer().primaryKey(), firstName: text().unique('one_first_name') })
  const schema = { places, people, mood: pgEnum('mood', ['calm']), nothing: undefined, later: () => 1 }

  const { problems } = await checkMigrations({ connectionString, folder, schema, constraints: ['one_first_name', 'people_pkey', 'one_frist_name'] })
  t.strictSame(problems.map(({ kind }) => kind), ['pending', 'model', 'constraint'])
  t.match(problems[2]?.message, /"one_frist_name".*: write "one_first_name", if it is meant$/)
})

t.test('several schemas have the constraints of all', async (t) => {
  const named = { ...users, sql: 'create table users (id int constraint one_id primary key)' }
  const { client, tables, ...options } = await build(t, [named])
  await client.query('create schema tenant_a; create schema tenant_b')
  await runMigrations({ ...options, schemas: ['tenant_a'] })

  const { problems } = await checkMigrations({ ...options, schemas: 'tenant_%', constraints: ['one_id', 'no_id'] })
  t.strictSame(problems.map(({ kind, schema }) => [kind, schema]), [['pending', 'tenant_b'], ['constraint', undefined]])
})
