import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { foreignKey, index, integer, pgEnum, pgSequence, pgTable, pgView, primaryKey, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { writeDownFiles } from '../../../../src/migrations/index.js'
import { loadDrizzleKit } from '../../../../src/migrations/generate/kit/kit-031/drizzle-kit.js'
import { emptySnapshot } from '../../../../src/migrations/generate/snapshots/snapshot.js'
import { readSnapshot } from '../../../../src/migrations/generate/kit/kit-031/read-snapshots.js'
import { writeNewFiles } from '../../../../src/migrations/generate/kit/write-new-files.js'
import { findSqlChanges } from '../../../../src/migrations/generate/sql/sql-changes.js'
import { boat, buildGenerated, crew, labelled } from './generated-folder.js'

t.test('an object may be created again after it was dropped, renamed or moved', async (t) => {
  const part = pgTable('part', { id: integer().primaryKey(), label: text() })
  const { folder, write } = await buildGenerated(t, [{ boat, crew }, { boat }, { boat, crew }, { boat, crew, part }])
  write(2, 'create table if not exists crew (id integer primary key)')
  t.strictSame((await writeDownFiles({ folder })).written.map(({ irreversible }) => irreversible), [[], ['the rows of crew'], [], []])

  const tied = await buildGenerated(t, [
    { boat, part }, { boat, part: keyed('no action') }, { boat, part: keyed('cascade') }, { boat, part }, { boat, part: keyed('cascade') }
  ])
  for (const index of [1, 2, 4]) {
    tied.write(
      index,
      tied.read(index).replace(
        /ALTER TABLE "part" ADD CONSTRAINT [^;]*;/,
        (add) => `DO $$ BEGIN\n ${add}\nEXCEPTION\n WHEN duplicate_object THEN null;\nEND $$;`
      )
    )
  }
  t.match(tied.read(2), 'DO $$')
  t.strictSame((await writeDownFiles({ folder: tied.folder })).written.map(({ irreversible }) => irreversible), [[], [], [], [], []], 'in the same file, too')

  const other = await buildGenerated(t, [{ boat, part }, { boat: labelled, part }, { boat, part: labelledPart() }])
  other.write(
    1,
    'alter table boat add label text; alter table boat rename label to old; alter table boat rename to ship; alter table ship set schema app; create table if not exists boat (id integer primary key, label text)'
  )
  t.match((await writeDownFiles({ folder: other.folder })).written[1]?.irreversible, [/changes of its snapshots/, /ALTER TABLE boat RENAME/])
})

function keyed (action: 'cascade' | 'no action') {
  return pgTable('part', { id: integer().primaryKey(), label: text() }, (self) => [
    foreignKey({ name: 'part_boat', columns: [self.id], foreignColumns: [boat.id] }).onDelete(action)
  ])
}

function labelledPart () {
  return pgTable('part', { id: integer().primaryKey(), label: text(), more: text() })
}

t.test('compares unnamed primary keys, dropped tables\' row level security, sequences and views', async (t) => {
  const pair = pgTable('pair', { left: integer().notNull(), right: integer().notNull() }, (self) => [primaryKey({ columns: [self.left, self.right] })])
  const keyless = pgTable('boat', { id: integer().notNull() })
  const tally = pgSequence('tally', { startWith: 5 })
  const view = pgView('all_boats', { id: integer() }).as(sql`select "id" from "boat"`)
  const { folder, read, write } = await buildGenerated(t, [{ boat: pgTable('boat', { id: integer().primaryKey() }), pair, tally, view }, { boat: keyless, view }])
  write(
    1,
    read(1).replace(/DO \$\$ DECLARE[^]*?END \$\$;/, 'ALTER TABLE "boat" DROP CONSTRAINT "boat_pkey";').replace(
      'DROP TABLE "pair" CASCADE;',
      'ALTER TABLE "pair" DISABLE ROW LEVEL SECURITY;--> statement-breakpoint\nDROP TABLE "pair" CASCADE;'
    )
  )
  t.match(read(1), 'boat_pkey')
  t.match(read(1), 'DISABLE ROW')

  t.strictSame((await writeDownFiles({ folder })).written.map(({ irreversible }) => irreversible), [
    [],
    ['the rows of pair', 'the current value of the sequence tally']
  ])
})

t.test('renames and kept indexes have a way back even if a snapshot has more than the SQL', async (t) => {
  const ship = pgTable('ship', { id: integer().primaryKey(), title: text(), more: text() }, (self) => [
    index('ship_id').on(self.id),
    index('ship_title').on(self.title)
  ])
  const before = pgTable('boat', { id: integer().primaryKey(), label: text() })
  const dock = pgTable('dock', { id: integer().primaryKey(), a: integer(), b: integer() }, (self) => [index('dock_a').on(self.a), index('dock_b').on(self.b)])
  const dockLater = pgTable('dock', { id: integer().primaryKey(), a: integer(), b: integer(), c: integer() }, (self) => [index('dock_a').on(self.a)])
  const { folder, write, down } = await buildGenerated(t, [{ boat: before, dock }, { boat: ship, dock: dockLater, crew }])
  write(1, `alter table boat rename to ship; alter table ship rename label to title; alter table ship add more text; create index ship_id on ship (id); create index ship_title on ship (title);
    alter table dock add c integer`)
  t.match((await writeDownFiles({ folder })).written[1]?.irreversible, [/^changes of its snapshots that its SQL does not make: /])
  t.match(down(1), 'ALTER TABLE "ship" RENAME TO "boat"')
  t.match(down(1), 'RENAME COLUMN "title" TO "label"')
  t.match(down(1), 'DROP COLUMN "c"')
  t.notMatch(down(1), /crew"|"dock_b/)
})

t.test('the way back drops only the enums, sequences and views that the SQL created', async (t) => {
  const mood = pgEnum('mood', ['calm'])
  const wind = pgEnum('wind', ['weak'])
  const [tally, score] = [pgSequence('tally'), pgSequence('score')]
  const [seen, hidden] = [
    pgView('seen', { id: integer() }).as(sql`select "id" from "boat"`),
    pgView('hidden', { id: integer() }).as(sql`select "id" from "boat" where "id" < 0`)
  ]
  const { folder, write, down } = await buildGenerated(t, [{ boat }, { boat, mood, wind, tally, score, seen, hidden }])
  write(1, "create type mood as enum ('calm'); create sequence tally; create view seen as (select \"id\" from \"boat\")")
  t.match((await writeDownFiles({ folder })).written[1]?.irreversible, [/^changes of its snapshots that its SQL does not make: /])
  for (const made of ['DROP TYPE "public"."mood"', 'DROP SEQUENCE "public"."tally"', 'DROP VIEW "public"."seen"']) t.match(down(1), made)
  t.notMatch(down(1), /"(wind|score|hidden)"/)
})

t.test('SQL of drizzle-kit matches its snapshots, even if createMigration() would write more', async (t) => {
  const words = pgTable('boat', { id: integer().primaryKey(), size: text().default('1') })
  const { folder, read, write } = await buildGenerated(t, [{ boat: words }, { boat: pgTable('boat', { id: integer().primaryKey(), size: integer().default(0) }) }])
  const [before, after] = [await readSnapshot(folder, '0000'), await readSnapshot(folder, '0001')]
  const statements = await (await loadDrizzleKit()).generateMigration(before, after)
  t.not(statements.join('\n'), read(1).replaceAll('--> statement-breakpoint', ''))
  write(1, statements.join('--> statement-breakpoint\n'))
  t.strictSame((await writeDownFiles({ folder })).written[1]?.irreversible, ['what the values of boat.size were as text, before they became integer'])
})

t.test('a refusal by drizzle-kit has its own words', async (t) => {
  const kit = await loadDrizzleKit('data:text/javascript,export const generateMigration = async () => { throw new Error("odd") }')
  await t.rejects(kit.generateMigration(emptySnapshot(), emptySnapshot()), { code: 'DB_MIGRATION_MISSING', message: /cannot read the snapshots \(odd\)/ })
})

t.test('a directive lists at most eight changes', async (t) => {
  const { folder, read, write } = await buildGenerated(t, [{ boat }, { boat: labelled }])
  write(1, `${read(1)}${Array.from({ length: 10 }, (_, index) => `create table t${index} (id int)`).join(';')}`)
  t.match((await writeDownFiles({ folder })).written[1]?.irreversible, [/CREATE TABLE t0, .*and 12 more$/])
})

t.test('reports its progress, and writes all files or none', async (t) => {
  const { folder, edit, read, write } = await buildGenerated(t, [{ boat }, { boat: labelled }])
  const told: unknown[] = []
  const sql = read(1)
  rmSync(join(folder, '0001_step_1.sql'))
  await t.rejects(writeDownFiles({ folder, onProgress: (progress) => told.push(progress) }), { code: 'DB_MIGRATION_MISSING' })
  t.strictSame(told, [{ tag: '0000_step_0', done: 1, total: 2 }])
  t.notOk(existsSync(join(folder, '0000_step_0.down.sql')))

  write(1, sql)
  edit(1, ({ tables }) => { Object.assign(tables['public.boat']!.columns['label']!, { odd: 1 }) })
  await t.rejects(writeDownFiles({ folder }), {
    code: 'DB_MIGRATION_MISSING',
    message: /^0001_step_1\.down\.sql cannot be written\. drizzle-kit cannot read the snapshots \(tables \/ public\.boat \/ columns \/ label: .*odd/
  })
  t.strictSame(readdirSync(folder).filter((name) => name.endsWith('.down.sql')), [])
})

t.test('writes nothing if the folder is not writable', async (t) => {
  const { folder } = await buildGenerated(t, [{ boat }])
  await t.rejects(writeNewFiles(folder, { 'inner.sql': '', 'nowhere/x.sql': '' }), {
    code: 'DB_MIGRATION_FAILED', message: /nowhere\/x\.sql cannot be written \(ENOENT\)/
  })
  t.notOk(existsSync(join(folder, 'inner.sql')))
})

t.test('finds the changes in SQL', (t) => {
  const texts = (sql: string) => findSqlChanges(sql).map(({ text }) => text)
  t.strictSame(texts('CREATE TABLE "a" ("x" int4 DEFAULT (1 + 2) NOT NULL, y "text" UNIQUE NOT NULL, check (x > 0)) with (fillfactor = 70)'), [
    'create table a with ( fillfactor = 7 0 )', 'a: add x integer default ( 1 + 2 ) not null', 'a: add y text unique not null', 'a: add check ( x > 0 )'
  ])
  t.strictSame(texts('create table "if" ("Two Words" int)'), ['create table "if"', '"if": add "Two\uE020Words" integer'])
  t.strictSame(texts("alter type mood add value if not exists 'a  b' before 'c'"), ["alter type mood add value 'a\uE020\uE020b' before 'c'"])
  t.strictSame(texts('drop table a, b cascade'), ['drop table a', 'drop table b'])
  t.strictSame(texts('create table a (x int'), ['create table a', 'a: add x integer'])
  t.strictSame(
    texts("do $$ begin if not exists (select 1 from pg_type where typname = 'm') then create type m as enum ('a'); end if; end $$"),
    ["create type m as enum ( 'a' )"]
  )
  t.end()
})
