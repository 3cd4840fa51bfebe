import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { check, foreignKey, index, integer, numeric, pgEnum, pgTable, text, timestamp, unique, varchar } from 'drizzle-orm/pg-core'
import t from 'tap'
import { writeDownFiles } from '../../../../../src/migrations/index.js'
import { boat, buildGenerated, crew, labelled } from '../generated-folder.js'

t.test('if a snapshot has more than the SQL, the way back undoes the SQL only, and says so', async (t) => {
  const { folder, edit, down } = await buildGenerated(t, [{ boat }, { boat, crew }, { boat: labelled, crew }])
  edit(1, ({ tables }) => { delete tables['public.crew'] })

  const { written } = await writeDownFiles({ folder })
  t.match(written, [
    { irreversible: [] },
    { irreversible: [/handwritten SQL/] },
    { irreversible: [/^changes of its snapshots that its SQL does not make: CREATE TABLE crew, ADD COLUMN crew\.id$/] }
  ])
  t.match(down(2), /^-- data-access: irreversible changes of its snapshots that its SQL does not make/)
  t.notMatch(down(2), /DROP TABLE/)
  t.match(down(2), 'ALTER TABLE "boat" DROP COLUMN "label";')
})

t.test('a migration from a merged branch is compared with the snapshot that it was generated from', async (t) => {
  const { folder, edit, down } = await buildGenerated(t, [{ boat }, { boat, crew }, { boat: labelled, crew }])
  let start = ''
  edit(0, ({ id }) => { start = id })
  edit(2, (snapshot) => {
    snapshot.prevId = start
    delete snapshot.tables['public.crew']
  })

  t.strictSame((await writeDownFiles({ folder })).written.map(({ irreversible }) => irreversible), [[], [], []])
  t.match(down(2), 'ALTER TABLE "boat" DROP COLUMN "label";')
  t.notMatch(down(2), 'crew')
})

t.test('the same SQL in another spelling has the same way back', async (t) => {
  const mood = pgEnum('mood', ['calm', 'wild'])
  const sea = pgTable('sea', {
    id: integer().primaryKey(),
    mood: mood().notNull().default('calm'),
    boat: integer(),
    size: varchar({ length: 10 }),
    at: timestamp({ withTimezone: true }),
    depth: numeric({ precision: 8, scale: 2 })
  }, (self) => [
    index('sea_size').on(self.size.desc(), self.at), unique('sea_one').on(self.size), foreignKey({
      name: 'sea_boat', columns: [self.boat], foreignColumns: [boat.id]
    }), check('sea_check', sql`"depth" > 0`)
  ])
  const wider = pgTable(
    'sea',
    {
      id: integer().primaryKey(),
      mood: mood().notNull(),
      boat: integer(),
      size: varchar({ length: 20 }),
      at: timestamp({ withTimezone: true }),
      depth: numeric({ precision: 8, scale: 2 }),
      more: text()
    },
    (self) => [unique('sea_one').on(self.size)]
  )
  const { folder, write, read, down } = await buildGenerated(t, [{ boat, mood, sea }, { boat, mood, sea: wider }])
  await writeDownFiles({ folder })
  const exact = [down(0), down(1)]
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.down.sql'))) rmSync(join(folder, name))

  write(0, `/* by hand */ DO $$ BEGIN
 CREATE TYPE "public"."mood" AS ENUM('calm', 'wild');
EXCEPTION
 WHEN duplicate_object THEN null;
END $$;
create table if not exists boat (id int NOT NULL PRIMARY KEY);
create table public.sea (
  mood mood default 'calm' not null, -- how it is
  boat int4, "size" character varying(10), "depth" decimal(8,2), at timestamptz,
  id integer primary key,
  constraint sea_check check ("sea"."depth" > 0)
);
--> statement-breakpoint
CREATE INDEX CONCURRENTLY IF NOT EXISTS "sea_size" ON ONLY "sea" ("size" DESC NULLS LAST, at ASC NULLS LAST);
ALTER TABLE ONLY sea ADD CONSTRAINT sea_one UNIQUE ("size"), ADD CONSTRAINT sea_boat FOREIGN KEY (boat) REFERENCES boat (id);`.replace(
      '"sea"."depth" > 0',
      /check_?"? CHECK \((.*)\)/i.exec(read(0))?.[1] ?? ''
    ))
  write(1, `drop index if exists sea_size; alter table if exists sea drop constraint if exists sea_check, drop constraint sea_boat; alter table sea add if not exists more text, alter mood drop default,
    alter size type character varying(20) using size::character varying(20);`)
  const { written } = await writeDownFiles({ folder })
  t.strictSame(written.map(({ irreversible }) => irreversible), [[], []])
  t.strictSame([down(0), down(1)], exact)
})

t.test('a directive lists SQL that does more, less or something else', async (t) => {
  const cases: ReadonlyArray<readonly [sql: string, reasons: RegExp[]]> = [
    ['create trigger touch before update on boat execute function f()', [/changes of its SQL that its snapshots do not have: CREATE TRIGGER touch$/]],
    ['create or replace function f () returns int language sql as $$ select 1 $$', [/CREATE OR REPLACE FUNCTION f$/]],
    ['create extension if not exists "pg_trgm"', [/CREATE EXTENSION pg_trgm$/]],
    ["insert into boat values (1, 's3cret')", [/INSERT INTO boat$/]],
    ["update boat set label = 's3cret'", [/UPDATE boat$/]],
    ['delete from boat', [/DELETE FROM boat$/]],
    ["do $$ begin perform 's3cret'; end $$", [/: DO$/]],
    ['do language plpgsql $$ begin create table more (id int); exception when others then null; end $$', [/: DO$/]],
    ['vacuum', [/: VACUUM$/]],
    ['select', [/: SELECT$/]],
    ['create index more on boat (label)', [/CREATE INDEX more$/]],
    ['alter table boat add unique (label)', [/ALTER TABLE boat ADD UNIQUE$/]],
    ['alter table boat alter column label set default \'s3cret\'', [/ALTER TABLE boat ALTER label$/]],
    ['alter table boat drop constraint boat_pkey', [/ALTER TABLE boat DROP CONSTRAINT of its primary key$/]],
    ['drop type mood cascade', [/DROP TYPE mood$/]],
    ['alter table boat alter column label type text using upper(label)', [/ALTER COLUMN boat\.label SET DATA TYPE$/]]
  ]
  for (const [more, reasons] of cases) {
    const { folder, read, write, down } = await buildGenerated(t, [{ boat }, { boat: labelled }])
    write(1, `${read(1)}${more};`)
    const { written } = await writeDownFiles({ folder })
    t.match(written[1]?.irreversible, reasons, more)
    t.equal(written[1]?.irreversible.length, reasons.length, more)
    t.notMatch(down(1), 's3cret')
  }
  const { folder, write } = await buildGenerated(t, [{ boat }, { boat: labelled }])
  write(1, 'alter table boat add label varchar(5)')
  t.match((await writeDownFiles({ folder })).written[1]?.irreversible, [
    /changes of its snapshots that its SQL does not make: ADD COLUMN boat\.label/,
    /changes of its SQL that its snapshots do not have: ADD COLUMN boat\.label/
  ])
})

t.test('an object of an earlier migration, or in another state, is not undone silently', async (t) => {
  const numbered = pgTable('boat', { id: integer().primaryKey(), label: varchar({ length: 40 }) })
  const { folder, write } = await buildGenerated(t, [{ boat }, { boat: labelled }, { boat: numbered }, { boat: numbered, crew }, { boat: labelled, crew }])
  write(0, 'create table boat (id integer primary key, label text); create table crew (id integer primary key)')
  write(1, 'alter table boat add column if not exists label text')
  write(3, 'create table if not exists crew (id integer primary key)')

  t.match((await writeDownFiles({ folder })).written.map(({ irreversible }) => irreversible), [
    [/its snapshots do not have/],
    [/found already created by an earlier migration: ADD COLUMN boat\.label$/, /another state/],
    [/left in another state than its snapshot has: ALTER COLUMN boat\.label/, /what the values/],
    [/found already created by an earlier migration: CREATE TABLE crew/, /another state/],
    [/left in another state than its snapshot has: ALTER COLUMN boat\.label/]
  ])
})
