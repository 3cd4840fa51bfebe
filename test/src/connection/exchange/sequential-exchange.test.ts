import { sql } from 'drizzle-orm'
import { Client, Pool } from 'pg'
import t from 'tap'
import { openDatabase } from '../../../../src/index.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { tables, users } from '../../../helpers/schema.js'
import { watchPool } from '../../../helpers/watch.js'
import type { Database } from '../../../../src/index.js'
import type { Test } from '../../../helpers/test.js'

/** The table belongs to the tenants, and one of its constraints is checked by COMMIT. */
const tenants = `${tables}
  alter table users add column tenant text not null default current_setting('app.tenant', true);
  alter table users add constraint "once" unique (balance, tenant) deferrable initially deferred;
  alter table users enable row level security;
  create policy tenant on users using (tenant = nullif(current_setting('app.tenant', true), ''));
  do $$ begin create role sequential_user; exception when duplicate_object or unique_violation then null; end $$;
  grant all on all tables in schema public to sequential_user;
  insert into users (email, tenant, balance) values ('ada', 'a', 1), ('bob', 'b', 1);
`

/** A client about whose `query` the package can assume nothing. */
class Changed extends Client {
  override query (...given: never): never { return super.query(...given as [never]) }
}

interface Tenants {
  readonly database: Database
  /** The database in the context of tenant b. */
  readonly tenant: Database
  readonly pg: Pool
}

async function openTenants (t: Test): Promise<Tenants> {
  const { connectionString } = await createTestDatabase(t, { sql: tenants })
  const pg = new Pool({ connectionString, Client: Changed, max: 1 })
  t.teardown(() => pg.end())
  const database = await openDatabase({ pg })
  t.teardown(() => database.close())
  watchPool(t, pg, { url: connectionString })
  return { database, tenant: database.withContext({ settings: { 'app.tenant': 'b' }, role: 'sequential_user' }) as Database, pg }
}

const who = sql`select current_user = session_user as "isLogin", coalesce(current_setting('app.tenant', true), '') as tenant`

t.test('a context holds for a statement that commits by itself, and is gone behind it', async (t) => {
  const { database, tenant } = await openTenants(t)
  t.match(await tenant.repo(users).getAll(), [{ email: 'bob' }])
  t.match(await tenant.session((session) => session.repo(users).getAll()), [{ email: 'bob' }])
  t.match(await tenant.execute(who), { rows: [{ isLogin: false, tenant: 'b' }], command: 'SELECT' })
  await tenant.repo(users).create({ email: 'bea' })
  t.match(await tenant.session(async (session) => {
    await session.repo(users).create({ email: 'ben', balance: 2 })
    return await session.repo(users).count()
  }), 3)
  await t.rejects(tenant.execute(sql`insert into users (email, tenant) values ('eve', 'a')`), { code: 'DB_POLICY_VIOLATION' })
  t.match(await database.execute(who), { rows: [{ isLogin: true, tenant: '' }] })
  t.equal(await database.repo(users).count(), 4)
})

t.test('a statement that fails, a commit that fails and a context that is refused keep nothing, and the connection is used again', async (t) => {
  const { database, tenant, pg } = await openTenants(t)
  const backend = async (): Promise<unknown> => (await pg.query('select pg_backend_pid() as pid')).rows
  const before = await backend()
  await t.rejects(tenant.repo(users).create({ email: 'bob' }), { code: 'DB_UNIQUE_VIOLATION' })
  await t.rejects(tenant.repo(users).create({ email: 'bea', balance: 1 }), { code: 'DB_UNIQUE_VIOLATION', context: { constraint: 'once' } })
  t.match(await tenant.execute(who), { rows: [{ tenant: 'b' }] })
  t.same(await backend(), before)
  await t.rejects(database.withContext({ role: 'no such role' }).repo(users).count(), { code: 'DB_USAGE', cause: { code: '22023' } })
  t.match(await database.execute(who), { rows: [{ isLogin: true, tenant: '' }] })
  t.equal(await database.repo(users).count(), 2)
})

t.test('a connection that is lost during a statement with a context is replaced', async (t) => {
  const { database, tenant } = await openTenants(t)
  const context = database.withContext({ settings: { 'app.tenant': 'b' } })
  await t.rejects(context.execute(sql`select pg_terminate_backend(pg_backend_pid()), ${1}::int`), { code: 'DB_COMMIT_UNKNOWN' })
  t.match(await tenant.repo(users).getAll(), [{ email: 'bob' }])
})
