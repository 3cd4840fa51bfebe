import { eq, sql } from 'drizzle-orm'
import { integer, text, uuid } from 'drizzle-orm/pg-core'
import t from 'tap'
import { audit, DatabaseError, openDatabase, PolicyViolationError } from '../../../src/index.js'
import { unhurried } from '../../helpers/database.js'
import { snakeCase, snakeCaseTable } from '../../helpers/drizzle.js'
import { openAudited, run } from './audited.js'
import type { Database } from '../../../src/index.js'

const notes = snakeCaseTable('notes', { id: integer().primaryKey(), tenantId: uuid().notNull(), title: text() })
const notesHistory = audit(notes, { tenant: 'tenantId' })
const plain = snakeCaseTable('plain', { id: integer().primaryKey(), title: text() })
const plainHistory = audit(plain)

const [ada, bob] = ['11111111-1111-4111-8111-11111111111a', '22222222-2222-4222-8222-22222222222b']

const { database: owner, connectionString } = await openAudited(t, { notes, notesHistory, plain, plainHistory })
const url = new URL(connectionString)
const role = `app_of_${url.pathname.slice(1)}`.slice(0, 63)
await run(owner, `
  create role ${role} login password 'app';
  grant create on database "${url.pathname.slice(1)}" to ${role};
  grant usage, create on schema public to ${role};
  grant select, insert, update, delete on all tables in schema public to ${role};
  create policy own on notes using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
  alter table notes enable row level security;
  alter default privileges revoke execute on functions from public`)
t.teardown(() => run(owner, `drop owned by ${role}; drop role ${role}`))
url.username = role
url.password = 'app'
const app = await openDatabase({ connectionString: url.href, ...snakeCase, ...unhurried })
t.teardown(() => app.close())

/** Does something for a tenant, as the application's role. */
async function as<Result> (tenant: string, work: (session: Pick<Database, 'repo' | 'execute'>) => Promise<Result>): Promise<Result> {
  return await app.transaction(async (session) => {
    await session.execute(sql`select set_config('app.tenant_id', ${tenant}, true)`)
    return await work(session)
  })
}

t.test('a role without rights on the history has its writes recorded, under its own name', async (t) => {
  await app.repo(plain).create({ id: 1, title: 'a' })
  await run(owner, `begin; set local role ${role}; update plain set title = 'b'; commit`)
  t.match(await app.repo(plain).history(1), [{ operation: 'insert', databaseUser: role }, { operation: 'update', databaseUser: role }])
})

t.test('a role that was granted every right on every table cannot write entries, change them, or remove them', async (t) => {
  await t.rejects(run(app, 'insert into plain_history (at, operation, key, changed, database_user, transaction_id) values (now(), \'insert\', \'{}\', \'[]\', \'\', \'\')'), PolicyViolationError)
  await run(app, "update plain_history set actor = 'eve'")
  await run(app, 'delete from plain_history')
  await t.rejects(run(app, 'truncate plain_history'), DatabaseError)
  await t.rejects(run(app, 'drop table plain_history'), DatabaseError)
  await t.rejects(run(app, 'alter table plain disable trigger all'), DatabaseError)
  t.match(await owner.repo(plain).history(1), [{ actor: null }, { actor: null }])
})

t.test('a role cannot put a table of its own under the trigger, nor an object of its own into it', async (t) => {
  await t.rejects(run(app, `
    create temp table mine (id integer, title text);
    create trigger forge after insert on mine for each row execute function plain_history_record()`), DatabaseError)
  await run(app, `
    begin;
    create temp table plain_history (like public.plain_history) on commit drop;
    create function public.format(text, integer) returns text language sql as $$ select 'forged' $$;
    create function public.num_nulls(integer) returns integer language sql as $$ select 1 $$;
    set local search_path = pg_temp, public, pg_catalog;
    insert into public.plain values (2, 'c');
    commit`)
  t.match(await owner.repo(plain).history(2), [{ after: { id: 2, title: 'c' } }])
})

t.test('a tenant reads only the history of its own rows, and without a tenant nobody reads any', async (t) => {
  await as(ada, (session) => session.repo(notes).create({ id: 1, tenantId: ada, title: 'of Ada' }))
  await as(bob, (session) => session.repo(notes).create({ id: 2, tenantId: bob, title: 'of Bob' }))
  const seen = (tenant: string) => as(tenant, async (session) => [
    (await session.repo(notes).history(1)).length, (await session.repo(notes).history(2)).length, (await session.repo(notesHistory).getAll()).length
  ])
  t.strictSame(await seen(ada), [1, 0, 1])
  t.strictSame(await seen(bob), [0, 1, 1])
  t.strictSame(await seen(ada.toUpperCase()), [1, 0, 1], 'another spelling of the same value')
  t.strictSame(await app.repo(notes).history(1), [])
  t.strictSame(await app.drizzle.select().from(notesHistory).where(eq(notesHistory.tenant, ada)), [])
})

t.test('a row that moves to another tenant leaves its past with the former', async (t) => {
  await run(owner, `update notes set tenant_id = '${bob}', title = 'moved' where id = 1`)
  t.match(await as(ada, (session) => session.repo(notes).history(1)), [
    { operation: 'insert' }, { operation: 'delete', before: { title: 'of Ada', tenantId: ada }, after: null }
  ])
  t.match(await as(bob, (session) => session.repo(notes).history(1)), [{ operation: 'insert', before: null, after: { title: 'moved', tenantId: bob } }])
})

t.test('a TRUNCATE of rows that policies hide from the owner is refused rather than recorded in part', async (t) => {
  await run(owner, `
    grant all on schema public to ${role};
    alter table plain owner to ${role};
    alter table plain_history owner to ${role};
    alter function plain_history_record() owner to ${role};
    alter table plain enable row level security;
    alter table plain force row level security`)
  await t.rejects(run(app, 'truncate plain'), DatabaseError)
  await run(app, 'alter table plain no force row level security')
  await run(app, 'truncate plain')
  t.match((await app.repo(plain).history(2)).map(({ operation }) => operation), ['insert', 'truncate'])
})

t.test('partitions are recorded: rows, rows that move, and the TRUNCATE of the table and of each partition', async (t) => {
  const parted = snakeCaseTable('parted', { id: integer().primaryKey(), title: text() })
  const partedHistory = audit(parted)
  const { database } = await openAudited(t, { partedHistory }, `
    create table parted (id integer primary key, title text) partition by range (id);
    create table parted_1 partition of parted for values from (0) to (10);
    create table parted_2 (extra text, title text, id integer not null);
    alter table parted_2 drop extra;
    alter table parted attach partition parted_2 for values from (10) to (20)`)
  const own = database.repo(parted)
  const operations = async (id: number) => (await own.history(id)).map(({ operation }) => operation)
  await own.createMany([{ id: 1 }, { id: 11, title: 'eleven' }, { id: 12 }])
  await run(database, "update parted_2 set title = 'XII' where id = 12; update parted set id = 2 where id = 11")
  t.strictSame([await operations(12), await operations(11)], [['insert', 'update'], ['insert', 'delete']])
  t.match(await own.history(2), [{ operation: 'insert', after: { id: 2, title: 'eleven' } }])

  await run(database, 'create table parted_3 partition of parted for values from (20) to (30); insert into parted values (21); truncate parted_1')
  t.strictSame([await operations(1), await operations(2)], [['insert', 'truncate'], ['insert', 'truncate']])
  await run(database, 'truncate parted')
  t.strictSame([await operations(12), await operations(21)], [['insert', 'update', 'truncate'], ['insert', 'truncate']], 'also of a partition that came later')
})
