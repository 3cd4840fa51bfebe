import { writeFileSync } from 'node:fs'
import { Client } from 'pg'
import t from 'tap'
import { proveMigrations, runMigrations } from '../../../../src/migrations/index.js'
import { DatabaseError, MigrationError, UsageError } from '../../../../src/index.js'
import { failureFindings } from '../../../../src/migrations/prove/failure-findings.js'
import { postgresErrorOf } from '../../../../src/migrations/prove/postgres-failure.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { createDatabase15, postgres15 } from '../../../helpers/postgres-15.js'
import { embedded, found, prove, schemaOfNow, writeProject } from './proving.js'

/** The databases of the server of a URL. */
async function databases (url: string): Promise<string[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ datname: string }>('select datname from pg_database order by 1')
  await client.end()
  return rows.map(({ datname }) => datname)
}

t.test('the schema of now is the one that is given, else that of the lock, else that of the database', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const { folder, lock } = writeProject(t, 'alter table customers drop column unused', { lock: 'select id from customers' })
  const options = { connectionString, folder, lock }

  await t.rejects(proveMigrations(options), new UsageError('Which migrations does the schema of now have? The lock names none, and no database tells: give the tag of the newest as from'))
  await t.rejects(proveMigrations({ folder, lock }), { message: /Which migrations/ })
  t.match(await proveMigrations({ ...options, from: '0000_now' }), { ok: true, from: '0000_now', pending: ['0001_next'], next: undefined })
  await runMigrations({ connectionString, folder, to: '0000_now' })
  t.match(await proveMigrations(options), { from: '0000_now', pending: ['0001_next'] })
  writeFileSync(lock, '-- newest migration: 0001_next\nselect id from customers')
  t.match(await proveMigrations(options), { from: '0001_next', pending: [] })
  t.match(await proveMigrations({ ...options, from: '0000_now' }), { from: '0000_now', pending: ['0001_next'] })
})

t.test('an open database is refused, because the clone needs the URL of a server', async (t) => {
  const { folder, lock } = writeProject(t, 'select 1')
  const options = { database: { pool: { options: {} } }, folder, lock }
  await t.rejects(proveMigrations(options as never), new UsageError('proveMigrations() takes no database, because it makes one: give the URL of a server for it as connectionString'))
})

t.test('a schema of now on which no statement runs is refused', async (t) => {
  const on = await embedded(t)
  const { folder, lock } = writeProject(t, 'select 1', { lock: 'select a from t\nselect b from t' })
  await t.rejects(proveMigrations({ connectionString: on, from: '0000_now', folder, lock }), { message: /^None of the 2 statements runs on the schema of 0000_now, the first because of this: relation "t" does not exist\. / })
  t.match(await prove(t, 'select 1', { on, lock: writeProject(t, '', { lock: '' }).lock }), { ok: true, running: { statements: 0 } })
})

t.test('new code on the schema of now', async (t) => {
  const on = await embedded(t)
  const { folder, lock } = writeProject(t, `
    alter table customers add country text not null default 'CH', alter name type varchar(80), drop constraint age_range;
    create table items (id int primary key); create function shout (text) returns text language sql as 'select upper($1)'; create type size as enum ('s')`)
  const next = writeProject(t, '', {
    lock: `
    select country from customers
    select id from items
    select shout(email) from customers
    select 's'::size
    update customers set name = $1, age = $2
    select name from customers`.replaceAll(/^ +/gm, '')
  }).lock
  writeFileSync(lock, 'select id from customers')
  const { ok, running, next: proof } = await proveMigrations({ connectionString: on, from: '0000_now', folder, lock, newLock: next, first: 'deploy' })

  t.equal(ok, false)
  t.strictSame(running.broken, [])
  t.strictSame(proof?.broken.map(({ object, problem, sqlState }) => `${object} ${problem} ${sqlState}`), [
    'customers.age has the constraint age_range, and the statement writes it: CHECK (((age >= 0) AND (age <= 150))) 23514',
    'customers.country is not there 42703',
    'customers.name is character varying(50), not character varying(80), and does not hold every value that the statement may write 22001',
    'items is not there 42P01',
    'shout(text) is not there 42883',
    'size is not there 42704'
  ])
  t.ok(proof?.broken.every(({ wayOut }) => wayOut === 'Apply the migrations before this code starts'))
})

t.test('the clone is dropped, whatever happens', async (t) => {
  const on = (await createDatabase15(t)).connectionString
  const before = await databases(await postgres15())
  const stop = new AbortController()

  await prove(t, 'select 1', { on })
  await t.rejects(prove(t, 'select nothing', { on }), { code: 'DB_MIGRATION_FAILED' })
  await t.rejects(prove(t, 'select 1', { on, sql: 'select nothing' }), DatabaseError)
  await t.rejects(prove(t, 'select 1', { on, role: 'nobody_at_all' }), DatabaseError)
  const running = prove(t, 'select pg_sleep(60)', { on, signal: stop.signal })
  stop.abort()
  await t.rejects(running, MigrationError)
  await t.rejects(prove(t, 'select 1', { on: 'postgresql://nobody@127.0.0.1:1/none' }), { code: 'DB_CONNECTION', message: /ECONNREFUSED.*start PostgreSQL/ })
  t.strictSame(await databases(on), before)
})

t.test('a check whose column is no longer there', async (t) => {
  const on = await embedded(t)
  const next = writeProject(t, '', { lock: 'update customers set name = $1' }).lock
  const proof = await prove(t, 'alter table customers drop column age, add check (score > 0)', { on, newLock: next })
  t.strictSame(proof.next?.broken, [])
})

t.test('a signal that is aborted while statements are tried', async (t) => {
  const on = await embedded(t)
  const signalOf = (last: number) => {
    const { signal } = new AbortController()
    const read = { count: 0, signal }
    Object.defineProperty(signal, 'aborted', { get: () => ++read.count === last })
    return read
  }
  const whole = signalOf(Infinity)
  await prove(t, 'select 1', { on, signal: whole.signal })
  await t.rejects(prove(t, 'select 1', { on, signal: signalOf(whole.count).signal }), { message: 'The signal was aborted: nothing was proved' })
})

t.test('an error that is not PostgreSQL\'s ends the work', async (t) => {
  t.throws(() => postgresErrorOf(new Error('lost')), { code: 'DB_CONNECTION' })
  t.match(failureFindings({ sqlState: 'XX000', message: 'no' }, {
    text: 'select 1', before: { dependencies: [], relations: [] } as never, catalogs: { before: { relations: new Map() } } as never
  }), [{ object: 'the statement', problem: 'is not as the statement needs it: no' }])
})

t.test('privileges of the role', async (t) => {
  const on = await embedded(t)
  const sql = 'do $$ begin create role prove_reader; exception when duplicate_object then end $$'
  const granted = 'grant select on all tables in schema public to prove_reader'
  const lock = 'select id from customers\nselect paid from payments\ninsert into payments (id) values ($1)'
  const as = async (change: string) => found(await prove(t, change, { on, sql: `${sql}; alter default privileges ${granted.replace('all tables in schema public', 'tables')}`, role: 'prove_reader', lock: writeProject(t, '', { lock }).lock }))

  t.strictSame(await as('select 1'), [], 'the INSERT was not allowed before, either')
  t.strictSame(await as('revoke select on payments from prove_reader'), ['payments 42501'])
  t.strictSame(await as('alter table payments enable row level security'), ['payments 42501'])
})

t.test('every form of a statement is read', async (t) => {
  const on = await embedded(t)
  const many = Array.from({ length: 150 }, (_, index) => `$${index + 1}`)
  const lock = `
    select id from customers where id in (${many.map((name) => `${name}::int + 0`).join(', ')})
    merge into payments p using invoices i on i.id = p.id when matched then update set paid = $1 when not matched then insert (id, invoice_id) values ($2, $3)
    insert into payments (id) values ($1) on conflict (invoice_id) do nothing
    update pg_settings set setting = $1 where name = $2
    update late set total = $1
    insert into late (invoice, total) values ($1, $2)
    insert into doubled (invoice, double) values ($1, $2)
    insert into nothing (a) values ($1)
    select ' {"a (}": 1}'::jsonb, "odd (name" from odd
  `.replaceAll(/^ +/gm, '')
  const views = `
    create view late as select id as invoice, total, total * 2 as double from invoices; create view nothing as select 1 as a; create view doubled as select * from late;
    create function nothing_at_all () returns trigger language plpgsql as 'begin return null; end';
    create trigger nothing_at_all instead of insert on nothing for each row execute function nothing_at_all();
    create trigger nothing_at_all instead of insert on doubled for each row execute function nothing_at_all();
    create table odd ("odd (name" int)`
  const result = async (change: string) => await proveMigrations({ connectionString: on, from: '0000_now', ...writeProject(t, change, { lock, now: `${schemaOfNow};${views}` }) })

  t.strictSame((await result('select 1')).running, { statements: 9, broken: [], unproved: [] })
  t.strictSame(found(await result('alter table payments alter paid set not null')), ['payments.paid 23502', 'payments.paid 23502'])
  t.strictSame(found(await result('drop view doubled, late, open_invoices; create table doubled (invoice bigint, double numeric); alter table invoices alter total type numeric(5, 2); create view late as select id as invoice, total, total * 2 as double from invoices')), ['invoices.total 22003'])
  t.strictSame(found(await result('alter table odd rename "odd (name" to even')), ['odd.odd (name 42703'])
})
