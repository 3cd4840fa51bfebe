import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { integer, pgEnum, pgSchema, pgSequence, pgTable, pgView, primaryKey, text, unique, index, foreignKey } from 'drizzle-orm/pg-core'
import { Client } from 'pg'
import t, { type Test } from 'tap'
import { createMigration, rollbackMigrations, runMigrations, writeDownFiles } from '../../../../../src/migrations/index.js'
import { createTestDatabase } from '../../../../../src/testing/index.js'
import { readCatalogue } from '../../../../model-based/migrations/catalogue.js'
import { roundTrip } from '../round-trip.js'

const read = (folder: string, name: string) => readFileSync(join(folder, name), 'utf8')

function before () {
  const mood = pgEnum('mood', ['calm', 'glad'])
  const users = pgTable('users', {
    id: integer().primaryKey().generatedAlwaysAsIdentity(), name: text().notNull(), moods: mood().array(), left: integer(), right: integer()
  }, (self) => [
    unique('both').on(self.left, self.right), index('by_name').on(self.name), index('by_sum').on(sql`("left" + "right")`)
  ])
  const posts = pgTable(
    'posts',
    { a: integer(), b: integer(), author: integer().references(() => users.id) },
    (self) => [primaryKey({ columns: [self.a, self.b] })]
  )
  return { mood, users, posts, counter: pgSequence('counter') }
}

function after () {
  const app = pgSchema('app')
  const feeling = pgEnum('feeling', ['calm', 'glad'])
  const people = app.table('people', {
    uid: integer().primaryKey().generatedAlwaysAsIdentity({ name: 'users_id_seq' }),
    fullName: text('full_name').notNull(),
    moods: feeling().array(),
    left: integer(),
    right: integer()
  }, (self) => [
    unique('both').on(self.left, self.right), index('by_name').on(self.fullName), index('by_sum').on(sql`("left" + "right")`)
  ])
  const posts = pgTable('posts', { a: integer(), b: integer(), writer: integer() }, (self) => [
    primaryKey({ columns: [self.a, self.b] }), foreignKey({ columns: [self.writer], foreignColumns: [people.uid], name: 'posts_author_users_id_fk' })
  ])
  return { app, feeling, people, posts, tally: pgSequence('tally') }
}

const one = { users: pgTable('users', { id: integer(), name: text() }) }

const renames = {
  mood: 'feeling',
  counter: 'tally',
  users: 'app.people',
  'app.people.id': 'app.people.uid',
  'app.people.name': 'app.people.full_name',
  'posts.author': 'posts.writer'
}

async function build (t: Test) {
  const { connectionString } = await createTestDatabase(t)
  const client = new Client({ connectionString })
  await client.connect()
  t.after(() => client.end())
  return { connectionString, client, folder: t.testdir() }
}

t.test('renames keep rows, up and down', async (t) => {
  const { client, ...options } = await build(t)
  await createMigration({ message: 'first', schema: before(), folder: options.folder })
  await runMigrations(options)
  const catalogue = await readCatalogue(client)
  await client.query("insert into users (name, moods) values ('Ada', '{glad}'); insert into posts values (1, 2, 1); select nextval('counter')")
  const { created } = await createMigration({ message: 'second', schema: after(), folder: options.folder, renames })

  t.strictSame(created?.irreversible, [])
  t.notMatch(read(options.folder, '0001_second.sql'), /DROP (TABLE|COLUMN|TYPE|SEQUENCE)/)
  await runMigrations(options)
  t.strictSame(
    (await client.query('select full_name, moods::text, writer, nextval(\'tally\') from app.people join posts on writer = uid')).rows,
    [{ full_name: 'Ada', moods: '{glad}', writer: 1, nextval: '2' }]
  )
  await rollbackMigrations(options)
  t.strictSame(await readCatalogue(client), catalogue)
  t.strictSame(
    (await client.query('select name, moods::text, author from users join posts on author = id')).rows,
    [{ name: 'Ada', moods: '{glad}', author: 1 }]
  )
})

t.test('finds renames in SQL when the way back is written later', async (t) => {
  const { client, ...options } = await build(t)
  const { folder } = options
  await createMigration({ message: 'first', schema: before(), folder })
  await createMigration({ message: 'second', schema: after(), folder, renames })
  const [first, second] = [read(folder, '0000_first.down.sql'), read(folder, '0001_second.down.sql')]
  rmSync(join(folder, '0000_first.down.sql'))
  rmSync(join(folder, '0001_second.down.sql'))

  t.strictSame(await writeDownFiles({ folder }), { written: [{ tag: '0000_first', irreversible: [] }, { tag: '0001_second', irreversible: [] }] })
  t.equal(read(folder, '0000_first.down.sql'), first)
  t.equal(read(folder, '0001_second.down.sql'), second)
  t.strictSame(await writeDownFiles({ folder }), { written: [] })
})

t.test('reads renames in any spelling', async (t) => {
  const folder = t.testdir()
  await createMigration({ message: 'first', schema: { users: pgTable('users', { id: integer(), name: text(), gone: text() }) }, folder })
  await createMigration({ message: 'second', schema: { people: pgTable('people', { id: integer(), title: text(), fresh: text() }) }, folder, renames: {} })
  writeFileSync(
    join(folder, '0001_second.sql'),
    'alter table if exists public.users rename name to Title; ALTER TABLE users\nRENAME TO people; alter table people add fresh text, drop gone;'
  )
  rmSync(join(folder, '0001_second.down.sql'))

  t.strictSame((await writeDownFiles({ folder })).written, [{ tag: '0001_second', irreversible: ['the values of people.gone'] }])
  const down = read(folder, '0001_second.down.sql')
  t.match(down, 'ALTER TABLE "people" RENAME TO "users";--> statement-breakpoint\nALTER TABLE "users" RENAME COLUMN "title" TO "name";')
})

t.test('does not invent a way back without snapshots or without a change of the model', async (t) => {
  const folder = t.testdir()
  await createMigration({ message: 'first', schema: before(), folder })
  await createMigration({ message: 'second', autogenerate: false, folder })
  await createMigration({ message: 'third', autogenerate: false, folder })
  for (const tag of ['0001_second', '0002_third']) rmSync(join(folder, `${tag}.down.sql`))
  rmSync(join(folder, 'meta/0002_snapshot.json'))

  t.match((await writeDownFiles({ folder })).written, [
    { tag: '0001_second', irreversible: [/handwritten SQL/] },
    { tag: '0002_third', irreversible: [/handwritten SQL/] }
  ])
  rmSync(join(folder, '0002_third.sql'))
  rmSync(join(folder, '0002_third.down.sql'))
  await t.rejects(writeDownFiles({ folder }), { code: 'DB_MIGRATION_MISSING', message: /0002_third\.sql is in the journal/ })
})

t.test('uses ./drizzle by default', async (t) => {
  t.strictSame(await writeDownFiles(), { written: [] })
})

t.test('moves a table into another schema', async (t) => {
  const folder = t.testdir()
  await createMigration({ message: 'first', schema: { users: pgTable('users', { id: integer() }) }, folder })
  const app = pgSchema('app')
  await createMigration({ message: 'second', schema: { app, users: app.table('users', { id: integer() }) }, folder, renames: { users: 'app.users' } })

  t.equal(read(folder, '0001_second.sql'), 'CREATE SCHEMA "app";\n--> statement-breakpoint\nALTER TABLE "users" SET SCHEMA "app";')
  t.match(read(folder, '0001_second.down.sql'), /^ALTER TABLE "app"."users" SET SCHEMA "public";--> statement-breakpoint\nDROP SCHEMA "app";/)
})

t.test('moves and renames tables past others with an interim name, up and down', async (t) => {
  const app = pgSchema('app')
  const id = () => ({ id: integer() })
  // Three other tables have the names in between: app.users, people, and both.
  const names = [['users'], ['people'], ['users', 'people']] as const
  for (const [index, taken] of names.entries()) {
    const others = {
      ...taken.includes('users' as never) && { other: app.table('users', id()) },
      ...taken.includes('people' as never) && { people: pgTable('people', id()) }
    }
    await roundTrip(t, {
      from: { app, ...others, users: pgTable('users', id()) },
      to: { app, ...others, moved: app.table('people', id()) },
      fill: 'insert into public.users values (7)',
      kept: 'select id from public.users',
      options: { renames: { users: 'app.people' } }
    }).then(({ irreversible, up }) => t.strictSame([irreversible, up.includes('__moving')], [[], index === 2]))
  }
})

t.test('a table gets the name of a view, whose dependents are dropped and created', async (t) => {
  const columns = () => ({ id: integer(), name: text() })
  const users = pgTable('users', columns())
  const people = pgTable('people', columns())
  const view = pgView('users').as((q) => q.select({ id: people.id }).from(people))
  const { irreversible } = await roundTrip(t, {
    from: { users },
    to: { people, view, above: pgView('above').as((q) => q.select().from(view)), apart: pgView('apart').as((q) => q.select().from(people)) },
    fill: "insert into users values (1, 'Ann')",
    kept: 'select * from users',
    options: { renames: { users: 'people' } }
  })
  t.strictSame(irreversible, [])
})

t.test('an object that is not in the list is dropped and created', async (t) => {
  const folder = t.testdir()
  await createMigration({ message: 'first', schema: before(), folder })
  const { created } = await createMigration({ message: 'second', schema: after(), folder, renames: { mood: 'feeling' } })

  t.match(read(folder, '0001_second.sql'), 'ALTER TYPE "mood" RENAME TO "feeling"')
  t.match(created?.irreversible, ['the rows of users', 'the values of posts.author', 'the current value of the sequence counter'])
  t.match(read(folder, '0001_second.down.sql'), '-- Drops the sequence tally, which the migration added.')
})

t.test('a new object is created when no gone object is left to rename', async (t) => {
  const folder = t.testdir()
  await createMigration({ message: 'first', schema: one, folder })
  await createMigration({
    message: 'second',
    schema: { users: pgTable('users', { id: integer(), title: text(), year: integer() }) },
    folder,
    renames: { 'users.name': 'users.title' }
  })

  t.match(read(folder, '0001_second.sql'), /RENAME COLUMN "name" TO "title"[^]*ADD COLUMN "year" integer/)
})

t.test('refuses a list with a name that was not renamed', async (t) => {
  const folder = t.testdir()
  await createMigration({ message: 'first', schema: before(), folder })

  await t.rejects(
    createMigration({ message: 'second', schema: after(), folder, renames: { ...renames, nobody: 'someone' } }),
    { code: 'DB_MIGRATION_AMBIGUOUS', message: /^nobody was not renamed to someone/ }
  )
})

t.test('tables with identity keys swap names and sequences across schemas', async (t) => {
  const app = pgSchema('app')
  const columns = () => ({ id: integer().generatedByDefaultAsIdentity(), name: text() })
  const { irreversible } = await roundTrip(t, {
    from: { app, posts: pgTable('posts', columns()), users: app.table('users', columns()) },
    to: { app, users: pgTable('users', columns()), tags: pgTable('tags', columns()) },
    fill: "insert into posts (name) values ('a'); insert into app.users (name) values ('b'), ('c')",
    kept: 'select name from posts union all select name from app.users order by 1',
    next: "insert into users (name) values ('d'); insert into tags (name) values ('e')",
    former: "insert into posts (name) values ('d'); insert into app.users (name) values ('e')",
    options: { renames: { posts: 'users', 'app.users': 'tags' } }
  })
  t.strictSame(irreversible, [])
})

t.test('a table moves into a schema where its sequence\'s name is taken', async (t) => {
  const app = pgSchema('app')
  const columns = () => ({ id: integer().generatedAlwaysAsIdentity() })
  const users = pgTable('users', columns())
  await roundTrip(t, {
    from: { app, users, moved: app.table('users', { ...columns(), other: integer().generatedAlwaysAsIdentity({ name: 'free' }) }) },
    to: { app, users, moved: pgTable('people', { ...columns(), other: integer().generatedAlwaysAsIdentity({ name: 'free' }) }) },
    fill: 'insert into app.users default values',
    kept: 'select * from app.users',
    next: 'insert into people default values',
    former: 'insert into app.users default values',
    options: { renames: { 'app.users': 'people' } }
  })
})

t.test('identity sequences get each other\'s names: in a chain, in a circle, and from a dropped one', async (t) => {
  const columns = (names: Record<string, string>) => Object.fromEntries(Object.entries(names).map(([column, name]) => [
    column,
    integer().generatedByDefaultAsIdentity({ name })
  ]))
  const tables = (names: Array<Record<string, string>>) => Object.fromEntries(names.map((each, index) => [
    `t${index}`,
    pgTable(`t${index}`, { id: integer(), ...columns(each) })
  ]))
  await roundTrip(t, {
    from: tables([{ a: 'one' }, { a: 'two' }, { a: 'three' }, { a: 'left' }, { a: 'right' }, { a: 'dropped' }, { a: 'kept' }]),
    to: tables([{ a: 'two' }, { a: 'three' }, { a: 'four' }, { a: 'right' }, { a: 'left' }, {}, { a: 'dropped', b: 'one' }]),
    fill: 'insert into t3 (id) values (1), (2); insert into t4 (id) values (1)',
    kept: 'select a from t3 union all select a from t4',
    next: 'insert into t3 (id) values (3); insert into t6 (id) values (1)',
    former: 'insert into t5 (id) values (1)',
    options: { renames: {} }
  })
})

t.test('tables get the names of dropped or renamed sequences and enums', async (t) => {
  const columns = () => ({ id: integer() })
  const mood = pgEnum('mood', ['calm'])
  await roundTrip(t, {
    from: {
      mood,
      tally: pgSequence('tally'),
      count: pgSequence('count'),
      users: pgTable('users', columns()),
      posts: pgTable('posts', { ...columns(), mood: mood() })
    },
    to: {
      moods: pgTable('mood', columns()),
      users: pgTable('tally', columns()),
      counts: pgTable('count', columns()),
      other: pgSequence('other'),
      posts: pgTable('posts', columns())
    },
    fill: 'insert into users values (7)',
    kept: 'select id from users',
    options: { renames: { users: 'tally', count: 'other' } }
  })
})
