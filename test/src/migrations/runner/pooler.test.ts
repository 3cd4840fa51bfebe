import t, { type Test } from 'tap'
import { Client } from 'pg'
import { openDatabase } from '../../../../src/index.js'
import { checkMigrations, rollbackMigrations, runMigrations } from '../../../../src/migrations/index.js'
import { startMigrating } from '../../../helpers/migrating.js'
import { startTransactionPooler } from '../../../helpers/transaction-pooler.js'
import { until } from '../../../helpers/until.js'
import { posts, users, type TestMigration } from '../folder.js'
import { build, tags } from '../setup.js'

const mark = '-- data-access: no-transaction\n'
const index: TestMigration = { tag: '0002_index', when: posts.when + 1, sql: `${mark}create index concurrently users_index on users (id); create table c (id int); do $$ begin perform pg_sleep(0.2); end $$`, down: `${mark}drop index concurrently users_index; drop table c` }

/** Migrations of a database behind a pooler in transaction mode that has two connections, and a look at both. */
async function buildPooled (t: Test, migrations: readonly TestMigration[]) {
  const { client, folder, connectionString: direct, tables } = await build(t, migrations)
  const { connectionString } = await startTransactionPooler(t, direct, { servers: 2 })
  const clients = [new Client({ connectionString }), new Client({ connectionString })]
  for (const one of clients) await one.connect()
  t.teardown(() => Promise.all(clients.map((one) => one.end())))

  /** Runs a query on both connections of the pooler. */
  const onEach = async (text: string) => {
    await Promise.all(clients.map((one) => one.query('begin')))
    const results = await Promise.all(clients.map((one) => one.query(text)))
    await Promise.all(clients.map((one) => one.query('commit')))
    return results.map(({ rows }) => rows)
  }
  const settings = () => onEach("select name, setting from pg_settings where source = 'session' and name not like 'transaction_%' union all select 'user', current_user order by 1")
  const locks = async () => (await client.query("select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())")).rowCount
  return { client, direct, tables, onEach, settings, locks, options: { connectionString, folder } }
}

t.test('runs files of both kinds through a pooler, and leaves no setting, role or lock on its connections', async (t) => {
  const leaving = `${users.sql}\n--> statement-breakpoint\nset search_path = nowhere; set role pg_monitor; set statement_timeout = '1min'; set work_mem = '1MB'; select set_config('app.tenant', '1', false)`
  const { tables, onEach, settings, locks, options } = await buildPooled(t, [
    { ...users, sql: leaving, down: 'set lock_timeout = 1; drop table users' }, { ...posts, down: 'drop table posts' }, index
  ])
  await onEach("set work_mem = '8MB'")
  const before = await settings()

  t.equal((await checkMigrations(options)).problems.length, 3)
  t.strictSame(tags((await runMigrations({ ...options, statementLockTimeoutSeconds: 0.1 })).applied), ['0000_users', '0001_posts', '0002_index'])
  t.strictSame(await settings(), before)
  t.strictSame(tags((await rollbackMigrations({ ...options, steps: 3 })).rolledBack), ['0002_index', '0001_posts', '0000_users'])
  t.strictSame(await settings(), before)
  t.strictSame(await tables(), [])
  t.equal(await locks(), 0)
})

t.test('two runners through a pooler run each file once', async (t) => {
  const { options, locks } = await buildPooled(t, [users, posts, index])
  const both = await Promise.all([runMigrations(options), runMigrations(options)])

  t.strictSame(both.map(({ applied }) => applied.length).sort(), [0, 3])
  t.equal(await locks(), 0)
})

t.test('a runner through a pooler waits for one of an earlier version, whose locks belong to sessions', async (t) => {
  for (const lock of ['fastify-data-access/migrations', 'fastify-data-access/migrations/work']) {
    const { client, options, locks } = await buildPooled(t, [users])
    await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [lock])
    await t.rejects(runMigrations({ ...options, lockTimeoutSeconds: 0 }), { code: 'DB_MIGRATION_LOCKED', message: /, process \d+ \(idle\): wait for it/ })

    const run = runMigrations(options)
    await client.query('select pg_advisory_unlock_all()')
    t.equal((await run).applied.length, 1)
    t.equal(await locks(), 0)
  }
})

t.test('a lock connection that is lost stops the run before the next file', async (t) => {
  const kill = "select pg_terminate_backend(pid, 5000) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid() and database = (select oid from pg_database where datname = current_database())"
  const lost = { code: 'DB_MIGRATION_FAILED', message: /^The connection that holds the lock of migrations was lost/ }
  for (const isDirect of [true, false]) {
    const { direct, tables, options } = await buildPooled(t, [{ ...users, sql: `${users.sql}\n--> statement-breakpoint\n${kill}` }, posts])
    await t.rejects(runMigrations({ ...options, ...isDirect && { connectionString: direct } }), lost)
    t.strictSame(await tables(), ['users'])
    t.strictSame(tags((await runMigrations(options)).applied), ['0001_posts'])
  }
})

t.test('an aborted run cancels its statement through the pooler, and no other', async (t) => {
  const { client, tables, options } = await buildPooled(t, [{ ...users, sql: `${users.sql}\n--> statement-breakpoint\nselect pg_sleep(600)` }])
  const stop = new AbortController()
  const run = runMigrations({ ...options, signal: stop.signal })
  await until(async () => (await client.query("select from pg_stat_activity where datname = current_database() and query = 'select pg_sleep(600)' and state = 'active'")).rowCount === 1)
  stop.abort()

  await t.rejects(run, { code: 'DB_MIGRATION_FAILED', cause: { code: '57014' } })
  t.strictSame(await tables(), [])
})

t.test('refuses statements outside a transaction whose effect stays in a session, before anything runs', async (t) => {
  const sql = `${mark}set search_path = a; begin; set local work_mem = '1MB'; commit; create temp table t (id int); reset all; create index concurrently i on users (id)`
  const { tables, direct, options } = await buildPooled(t, [users, { ...posts, sql }])

  await t.rejects(runMigrations(options), {
    code: 'DB_MIGRATION_FAILED', message: /^0001_posts\.sql, statement 1, SET: .* as connectionString \(for the command: DATABASE_DIRECT_URL\)\n0001_posts\.sql, statement 5, CREATE: .*\n0001_posts\.sql, statement 6, RESET: .*\)$/
  })
  const database = await openDatabase({ name: 'billing', connectionString: options.connectionString })
  t.teardown(() => database.close())
  await t.rejects(runMigrations({ ...options, connectionString: undefined, database }), { message: /, statement 1, SET: .* as BILLING_DATABASE_DIRECT_URL\n/ })
  t.strictSame(await tables(), [])
  t.equal((await runMigrations({ ...options, connectionString: direct })).applied.length, 2, 'the server itself has a session')
})

t.test('56: a runner waits for the index that a killed one was building through the pooler', async (t) => {
  for (const sql of ['create index concurrently users_index on users (id)', 'drop index concurrently users_index']) {
    const earlier = sql.startsWith('drop') ? `${users.sql}\n--> statement-breakpoint\ncreate index users_index on users (id)` : users.sql
    const { client, direct, options } = await buildPooled(t, [{ ...users, sql: earlier }, { ...posts, sql: `${mark}${sql}; select 1` }])
    await runMigrations({ ...options, to: users.tag })
    const holder = new Client({ connectionString: direct })
    await holder.connect()
    t.teardown(() => holder.end())
    await holder.query('begin; insert into users values (1)')
    const { child, ended } = startMigrating(t, options.connectionString, options)
    const active = async (text: string) => (await client.query("select from pg_stat_activity where datname = current_database() and query like $1 and state = 'active' and pid <> pg_backend_pid()", [`%${text}%`])).rowCount
    await until(async () => await active(sql) === 1)
    child.kill('SIGKILL')
    await ended

    const waits: number[] = []
    const next = runMigrations({ ...options, statementLockTimeoutSeconds: 0.1, onWait: ({ attempts }) => waits.push(attempts) })
    await until(() => waits.length > 0)
    t.equal(await active(sql), 1)
    await holder.query('commit')
    t.strictSame(tags((await next).applied), ['0001_posts'])
    t.strictSame((await client.query("select indisvalid from pg_index where indexrelid = to_regclass('users_index')")).rows, sql.startsWith('drop') ? [] : [{ indisvalid: true }])
  }
})

t.test('runs a folder in several schemas through a pooler, and leaves no search path behind', async (t) => {
  const { client, direct, settings, options } = await buildPooled(t, [users, posts, index])
  await client.query('create schema tenant_a; create schema tenant_b')
  const before = await settings()
  const inTenants = { ...options, schemas: 'tenant_%' }
  t.strictSame((await runMigrations({ ...inTenants, to: posts.tag })).schemas.map(({ migrations }) => migrations.length), [2, 2])
  t.strictSame(await settings(), before)
  t.equal((await client.query("select from pg_tables where schemaname like 'tenant_%' and tablename in ('users', 'posts')")).rowCount, 4)
  await t.rejects(runMigrations(inTenants), { message: /tenant_a: 0002_index\.sql has no-transaction, .* DATABASE_DIRECT_URL/ })
  t.strictSame((await runMigrations({ ...inTenants, connectionString: direct })).schemas.map(({ migrations }) => tags([...migrations])), [['0002_index'], ['0002_index']])
})
