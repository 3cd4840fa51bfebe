import t from 'tap'
import { rollbackMigrations, runMigrations } from '../../../../src/migrations/index.js'
import { build, catalogue, tags } from '../setup.js'
import type { TestMigration } from '../folder.js'

const when = 1_700_000_000_000
const people: TestMigration = { tag: '0000_people', when, sql: 'create table people (id int primary key, name text)', down: 'DROP TABLE "people" CASCADE;' }
const age: TestMigration = {
  tag: '0001_age',
  when: when + 1000,
  sql: 'alter table people rename to users; alter table users add column age int, add column twice int generated always as (id * 2) stored; alter table users rename name to title',
  down: 'ALTER TABLE users RENAME COLUMN title TO name; ALTER TABLE "public"."users" DROP COLUMN "age", DROP COLUMN twice;--> statement-breakpoint\nALTER TABLE users RENAME TO people;'
}

t.test('counts the rows and values that a rollback drops, and refuses it before anything changes', async (t) => {
  const { client, tables, ...options } = await build(t, [people, age])
  await runMigrations(options)
  await client.query('insert into users (id, age) values (1, 1), (2, null), (3, 3)')
  const before = await catalogue(client)

  for (const dryRun of [true, false]) {
    await t.rejects(rollbackMigrations({ ...options, dryRun }), {
      code: 'DB_MIGRATION_IRREVERSIBLE',
      message: '0001_age.down.sql would drop 2 values of users.age: restore a backup instead, or pass confirmIrreversible to roll back anyway (for the command: --confirm-irreversible)'
    })
    await t.rejects(rollbackMigrations({ ...options, dryRun, to: 'nothing' }), { code: 'DB_MIGRATION_IRREVERSIBLE', message: /^0000_people\.down\.sql would drop 3 rows of users: / })
  }
  t.strictSame(await catalogue(client), before)
  const confirmed = { ...options, to: 'nothing', confirmIrreversible: true }
  const lost = [{ file: '0000_people.down.sql', table: 'users', rows: 3 }]
  t.match(await rollbackMigrations({ ...confirmed, dryRun: true }), { lost })
  t.match(await rollbackMigrations(confirmed), { rolledBack: [{ tag: '0001_age' }, { tag: '0000_people' }], lost })
})

t.test('asks for no confirmation where there is nothing to lose', async (t) => {
  const { client, tables, ...options } = await build(t, [people, age])
  await runMigrations(options)
  await client.query('insert into users (id) values (1)')

  t.match(await rollbackMigrations(options), { rolledBack: [{ tag: '0001_age' }], lost: [] }, 'no value is set, and generated ones come back')
  await client.query('delete from people')
  t.strictSame(tags((await rollbackMigrations(options)).rolledBack), ['0000_people'])
})

t.test('counts nothing that a way back creates itself', async (t) => {
  const down = `create table tmp (id int); insert into tmp values (1); alter table tmp rename to tmp2; drop table tmp2; drop table if exists never;
    alter table people add column x int; alter table people drop column x; create table people2 (y int); alter table people2 rename y to z; alter table people2 drop column z; drop materialized view m`
  const { client, tables, ...options } = await build(t, [people, { tag: '0001_x', when: when + 1, sql: 'create materialized view m as select 1', down }])
  await runMigrations(options)
  await client.query('insert into people values (1)')
  t.match(await rollbackMigrations(options), { rolledBack: [{ tag: '0001_x' }], lost: [] })
})

t.test('counts the tables of a schema that is dropped with CASCADE, wherever earlier statements have moved them', async (t) => {
  const sql = 'create schema billing; create table billing."Odd" (id int); create table billing.kept (id int); create table billing.old (id int); create table moved (id int)'
  const down = `alter table billing.kept set schema public; alter table moved set schema billing; alter table billing.old rename to new; create table billing.own (id int);
    drop schema if exists never, billing cascade; drop table kept`
  const { client, tables, ...options } = await build(t, [{ tag: '0000_x', when, sql, down }])
  await runMigrations(options)
  t.strictSame((await rollbackMigrations({ ...options, dryRun: true })).lost, [])

  await client.query('insert into billing."Odd" values (1); insert into billing.old values (1), (2); insert into moved values (1)')
  const lost = (table: string, rows: number) => ({ file: '0000_x.down.sql', table, rows })
  const confirmed = { ...options, confirmIrreversible: true }
  const others = [lost('billing."Odd"', 1), lost('moved', 1), lost('billing.old', 2)]
  t.strictSame((await rollbackMigrations({ ...confirmed, dryRun: true })).lost, others)
  await client.query('insert into billing.kept values (1)')
  t.strictSame((await rollbackMigrations(confirmed)).lost, [...others, lost('billing.kept', 1)], 'a table that was moved out is dropped by its own statement only')
})

t.test('counts the tables of public, and none of a schema that is dropped without CASCADE, because that must be empty', async (t) => {
  const { client, tables, ...options } = await build(t, [
    { tag: '0000_x', when, sql: 'create table words (id int)', down: 'alter table words rename to terms; drop schema public cascade; create schema public' },
    { tag: '0001_y', when: when + 1, sql: 'create schema app; alter table words set schema app', down: 'alter table app.words set schema public; drop schema app' }
  ])
  await runMigrations(options)
  await client.query('insert into app.words values (1); create table app.other (id int); insert into app.other values (1)')

  await t.rejects(rollbackMigrations(options), { code: 'DB_MIGRATION_FAILED', cause: { code: '2BP01' } }, 'PostgreSQL refuses it')
  await client.query('drop table app.other')
  t.match(await rollbackMigrations(options), { rolledBack: [{ tag: '0001_y' }], lost: [] })
  await t.rejects(rollbackMigrations(options), { message: /^0000_x\.down\.sql would drop 1 row of words: / })
})

t.test('a table that another session locks is waited for as statements wait: with retries, a limit and an end', async (t) => {
  const { client, tables, ...options } = await build(t, [people])
  await runMigrations(options)
  await client.query('insert into people values (1)')
  await client.query('begin; lock table people')
  const impatient = { ...options, statementLockTimeoutSeconds: 0.05 }

  await t.rejects(rollbackMigrations({ ...impatient, dryRun: true }), {
    code: 'DB_MIGRATION_LOCKED', message: '0000_people.down.sql changes people, whose rows cannot be counted while another session locks it: wait for that session or end it'
  })
  await t.rejects(rollbackMigrations({ ...impatient, lockRetries: 0 }), { code: 'DB_MIGRATION_LOCKED', message: /^0000_people\.down\.sql did not get its locks in 1 attempt/ })
  const stop = new AbortController()
  const stopped = rollbackMigrations({ ...options, statementLockTimeoutSeconds: 600, signal: stop.signal })
  while ((await client.query('select from pg_locks, pg_database where database = pg_database.oid and datname = current_database() and not granted and relation = $1::regclass', ['people'])).rowCount === 0);
  stop.abort()
  await t.rejects(stopped, { code: 'DB_MIGRATION_FAILED', message: /^The signal was aborted/ })

  let waits = 0
  const end = async () => { waits++; await client.query('rollback') }
  await t.rejects(rollbackMigrations({ ...impatient, onWait: end }), { code: 'DB_MIGRATION_IRREVERSIBLE', message: /would drop 1 row of people/ })
  t.equal(waits, 1)
})

t.test('rows that row-level security hides are not taken for none', async (t) => {
  const { client, tables, ...options } = await build(t, [people])
  await client.query("create role limited_owner login password 'x' noinherit; grant create, usage on schema public to limited_owner; grant create on database " + new URL(options.connectionString).pathname.slice(1) + ' to limited_owner')
  t.after(async () => { await client.query('drop owned by limited_owner; drop role limited_owner') })
  const url = new URL(options.connectionString)
  url.username = 'limited_owner'
  url.password = 'x'
  const own = { ...options, connectionString: url.href }
  await runMigrations(own)
  await client.query('insert into people values (1); alter table people enable row level security; alter table people force row level security')

  await t.rejects(rollbackMigrations(own), { code: 'DB_MIGRATION_IRREVERSIBLE', message: /would drop rows of people, which this role cannot count/ })
})
