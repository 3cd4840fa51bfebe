import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { foreignKey, index, integer, pgEnum, pgSchema, pgTable, text, unique } from 'drizzle-orm/pg-core'
import t, { type Test } from 'tap'
import { checkMigrations, createMigration, rollbackMigrations, runMigrations, writeDownFiles } from '../../../../../../src/migrations/index.js'
import { readCatalogue } from '../../../../../model-based/migrations/catalogue.js'
import { build } from '../../../setup.js'

const mood = pgEnum('mood', ['calm', 'wild'])
const boat = pgTable('boat', { id: integer().primaryKey(), name: text() })
const sea = pgTable('sea', { id: integer().primaryKey(), mood: mood(), moods: mood().array(), boat: integer() }, (self) => [
  index('sea_mood').on(self.mood), unique('sea_boat_one').on(self.boat), foreignKey({ name: 'sea_boat', columns: [self.boat], foreignColumns: [boat.id] })
])
const deeper = pgTable('sea', { id: integer().primaryKey(), mood: text(), moods: mood().array(), boat: integer(), depth: integer() }, (self) => [
  index('sea_mood').on(self.mood), unique('sea_boat_one').on(self.boat), foreignKey({ name: 'sea_boat', columns: [self.boat], foreignColumns: [boat.id] })
])
const newest = { boat, mood, sea: deeper }

type Json = Record<string, unknown>

/** The shapes in which older versions of drizzle-kit wrote the same snapshots. */
const shapes: Readonly<Record<string, (snapshot: Json) => Json>> = {
  'version 7 of its first days': withoutLater,
  'version 7 with the schema public': (snapshot) => withTables(withoutLater(snapshot), (table) => ({
    ...table, schema: 'public', foreignKeys: changed(table['foreignKeys'], (key) => ({ ...key, schemaTo: 'public' }))
  })),
  'version 7 with nulls': (snapshot) => withTables(
    { ...snapshot, roles: null, views: null, sequences: null },
    (table) => ({ ...table, policies: null, checkConstraints: null, isRLSEnabled: null })
  ),
  'version 6': (snapshot) => withTables({ ...withoutLater(snapshot), version: '6', sequences: undefined }, withPlainIndexes),
  'version 5': (snapshot) => {
    const { tables, enums, ...rest } = withTables(withoutLater(snapshot), withPlainIndexes)
    return {
      ...rest,
      version: '5',
      dialect: 'pg',
      sequences: undefined,
      enums: changed(byName(enums), ({ name, values }) => ({ name, values: Object.fromEntries((values as string[]).map((value) => [value, value])) })),
      tables: byName(tables)
    }
  },
  'version 4, without keys over several columns': (snapshot) => ({
    ...withTables(withoutLater(snapshot), ({ compositePrimaryKeys, ...table }) => table), version: '4'
  })
}

function withoutLater ({ policies, roles, views, ...rest }: Json): Json {
  return withTables(rest, ({ policies, checkConstraints, isRLSEnabled, ...table }) => ({
    ...table,
    columns: changed(table['columns'], ({ typeSchema, ...column }) => column),
    uniqueConstraints: changed(
      table['uniqueConstraints'],
      ({ nullsNotDistinct, ...key }) => key
    )
  }))
}

function withPlainIndexes (table: Json): Json {
  return {
    ...table,
    indexes: changed(table['indexes'], ({ name, columns, isUnique }) => ({ name, isUnique, columns: (columns as Json[]).map(({ expression }) => expression) }))
  }
}

function withTables (snapshot: Json, change: (table: Json) => Json): Json { return { ...snapshot, tables: changed(snapshot['tables'], change) } }

function changed (group: unknown, change: (value: Json) => Json): Json {
  return Object.fromEntries(Object.entries(group as Json).map(([key, value]) => [key, change(value as Json)]))
}

function byName (group: unknown): Json { return Object.fromEntries(Object.values(group as Json).map((value) => [(value as Json)['name'], value])) }

/** Two migrations whose snapshots were overwritten in another shape. */
async function oldFolder (t: Test, shape: (snapshot: Json) => Json) {
  const { folder, client, connectionString } = await build(t, [])
  await createMigration({ folder, message: 'one', schema: { boat, mood, sea } })
  await createMigration({ folder, message: 'two', schema: newest })
  for (const number of ['0000', '0001']) {
    const path = join(folder, 'meta', `${number}_snapshot.json`)
    writeFileSync(path, JSON.stringify(shape(JSON.parse(readFileSync(path, 'utf8')))))
  }
  return { folder, client, connectionString }
}

for (const [name, shape] of Object.entries(shapes)) {
  t.test(`reads snapshots of ${name}: check finds nothing, create starts from them, down-files works`, async (t) => {
    const { folder, client, connectionString } = await oldFolder(t, shape)
    const options = { folder, connectionString }
    t.strictSame(await createMigration({ folder, message: 'three', schema: newest }), {})
    await runMigrations({ ...options, to: '0000_one' })
    const first = await readCatalogue(client)
    await runMigrations(options)
    t.strictSame(await checkMigrations({ ...options, schema: newest }), { ok: true, problems: [] })

    const files = ['0000_one.down.sql', '0001_two.down.sql'].map((name) => join(folder, name))
    const made = files.map((file) => readFileSync(file, 'utf8'))
    for (const file of files) rmSync(file)
    t.strictSame((await writeDownFiles({ folder })).written, [{ tag: '0000_one', irreversible: [] }, { tag: '0001_two', irreversible: [] }])
    t.strictSame(files.map((file) => readFileSync(file, 'utf8')), made)

    await client.query("insert into boat values (1, 'ada'); insert into sea (id, mood, boat) values (1, 'calm', 1)")
    await rollbackMigrations(options)
    t.strictSame(await readCatalogue(client), first)
    t.strictSame((await client.query('select mood from sea')).rows, [{ mood: 'calm' }])
    await rollbackMigrations({ ...options, confirmIrreversible: true })
    t.strictSame((await readCatalogue(client))['columns'], [])
  })
}

t.test('refuses an invalid snapshot with its file and its table', async (t) => {
  const cases: ReadonlyArray<readonly [unknown, RegExp]> = [
    [[], /0000_snapshot\.json is not a snapshot of drizzle-kit/],
    [{ version: '8', tables: {} }, /has the version 8, but only versions up to 7/],
    [{ version: '7' }, /has no tables/],
    [{ version: '7', tables: { a: 1 } }, /has a table, a, that is invalid/],
    [{ version: '7', tables: { 'public.a': {} } }, /has a table, public\.a, that has no columns/],
    [{ version: '7', tables: { 'public.a': { columns: { id: null } } } }, /has a column, id of public\.a, that is invalid/],
    [{ version: '7', tables: { 'public.a': { columns: { id: {} } } } }, /has a column, id of public\.a, without a type/],
    [{ version: '7', tables: { 'public.a': { columns: {}, indexes: [] } } }, /an invalid value for the indexes of its table public\.a/],
    [
      { version: '7', tables: { 'public.a': { columns: {}, indexes: { i: 1 } } } },
      /has a table, public\.a, with an invalid entry i in its indexes/
    ],
    [{ version: '7', tables: { 'public.a': { columns: {}, indexes: { i: {} } } } }, /has no columns for i of its table public\.a/],
    [{ version: '7', tables: { 'public.a': { columns: {}, compositePrimaryKeys: { k: {} } } } }, /has no columns for k of its table public\.a/],
    [{ version: '7', tables: { 'public.a': { columns: {}, foreignKeys: { f: null } } } }, /with an invalid entry f in its foreignKeys/],
    [{ version: '7', tables: {}, views: { v: null } }, /has an invalid entry v in its views/],
    [{ version: '7', tables: {}, roles: [] }, /has an invalid value for its roles/],
    [{ version: '7', tables: {}, enums: { mood: 1 } }, /has an invalid enum/]
  ]
  for (const [snapshot, message] of cases) {
    const { folder, connectionString } = await oldFolder(t, () => snapshot as Json)
    const expected = {
      name: 'MigrationError', code: 'DB_MIGRATION_MISSING', message: message.source.includes('0000') ? /snapshot\.json is not a snapshot/ : message
    }
    await t.rejects(writeDownFiles({ folder }), expected)
    await t.rejects(createMigration({ folder, message: 'x', schema: newest }), expected)
    await t.rejects(checkMigrations({ folder, connectionString, schema: newest }), expected)
  }
})

t.test('refuses a snapshot without a part that only drizzle-kit reads, with the place', async (t) => {
  const { folder } = await oldFolder(t, (snapshot) => withTables(snapshot, (table) => ({ ...table, checkConstraints: { c: { name: 'c' } } })))
  const expected = {
    name: 'MigrationError',
    code: 'DB_MIGRATION_MISSING',
    message: /drizzle-kit cannot read the snapshots \(.*checkConstraints.*c.*value.*\): restore them/
  }
  await t.rejects(createMigration({ folder, message: 'x', schema: newest }), expected)
})

t.test('fills in missing parts like drizzle-kit: a name from its key, an enum from its only schema', async (t) => {
  const deep = pgSchema('deep')
  const kind = deep.enum('kind', ['a'])
  const { folder } = await build(t, [])
  const schema = {
    deep,
    kind,
    pool: deep.table('pool', { id: integer().primaryKey(), kind: kind(), boat: integer() }, (self) => [index('pool_kind').on(self.kind)]),
    other: deep.table('other', { id: integer().primaryKey() })
  }
  await createMigration({ folder, message: 'one', schema })
  const path = join(folder, 'meta/0000_snapshot.json')
  const snapshot = JSON.parse(readFileSync(path, 'utf8'))
  delete snapshot.tables['deep.pool'].name
  delete snapshot.tables['deep.pool'].columns.kind.typeSchema
  snapshot.enums['deep.kind'].values = { a: 'a' }
  snapshot.enums['deep.none'] = { name: 'none', schema: 'deep' }
  writeFileSync(path, JSON.stringify(snapshot))
  t.match((await createMigration({ folder, message: 'two', schema })).created, { irreversible: [] })
  t.equal(readFileSync(join(folder, '0001_two.sql'), 'utf8'), 'DROP TYPE "deep"."none";')
})
