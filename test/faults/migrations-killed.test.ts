import { Client } from 'pg'
import t from 'tap'
import { getMigrationHistory, runMigrations } from '../../src/migrations/index.js'
import { startMigrating } from '../helpers/migrating.js'
import { startProxy } from '../helpers/proxy.js'
import { until } from '../helpers/until.js'
import { first, second } from '../src/migrations/history.js'
import { writeFolder, type TestMigration } from '../src/migrations/folder.js'
import { build, catalogueWithout, tags } from '../src/migrations/setup.js'

t.test('56: a connection lost at any message leaves nothing or the whole file, and the next run finishes', async (t) => {
  const { connectionString, folder, client, tables } = await build(t, [first, second])
  const proxy = await startProxy(t, connectionString)
  const options = { connectionString: proxy.connectionString, folder }
  const reset = async () => { await client.query('drop schema if exists drizzle cascade; drop table if exists users, posts') }
  const columns = async () =>
    (await client.query("select attname from pg_attribute where attrelid = to_regclass('users') and attnum > 0 and not attisdropped order by attnum")).rows.map(({ attname }) => attname)
  await runMigrations({ connectionString, folder })
  const whole = await catalogueWithout(client)

  const messages = [
    'set local lock_timeout', 'select 1 / count', 'pg_current_xact_id', 'create table users', 'create index users_name', 'create table posts', 'add column age',
    'insert into users', 'reset role', 'insert into "drizzle"', 'commit'
  ]
  for (const message of messages) {
    for (const lose of ['loseRequest', 'loseAnswer'] as const) {
      await reset()
      const lost = proxy[lose](message)
      await t.rejects(runMigrations(options), { name: /^(MigrationError|ConnectionError)$/ }, `${lose} ${message}`)
      await lost
      const noted = (await getMigrationHistory({ connectionString, folder })).length
      t.strictSame(await tables(), [[], ['users'], ['posts', 'users']][noted])
      t.strictSame(await columns(), [[], ['id', 'name'], ['id', 'name', 'age']][noted])

      const { applied } = await runMigrations(options)
      t.equal(applied.length, 2 - noted)
      t.strictSame(await catalogueWithout(client), whole)
    }
  }
})

t.test('56: a process killed at a statement leaves nothing of its file and no lock, and the next one finishes', async (t) => {
  for (const [tag, statement, applied] of [['0000_users', 1, 0], ['0001_posts', 2, 1]] as const) {
    const sleeping = (migration: TestMigration) => migration.tag === tag
      ? {
          ...migration, sql: `${migration.sql}\n--> statement-breakpoint\nselect pg_sleep(600)`
        }
      : migration
    const { connectionString, folder, client, tables } = await build(t, [first, second].map(sleeping))
    const { child, ended, reaches } = startMigrating(t, connectionString, { folder })
    await reaches(`${tag} ${statement}`)
    child.kill('SIGKILL')
    await ended
    // PostgreSQL notices the lost client only when the current statement ends.
    await client.query("select pg_cancel_backend(pid) from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid() and datname = current_database()")

    writeFolder(folder, [first, second])
    t.equal((await runMigrations({ connectionString, folder })).applied.length, 2 - applied)
    t.strictSame(await tables(), ['posts', 'users'])
  }
})

t.test('56: if the statement of a killed process still runs, the next runner waits for it', async (t) => {
  const sql = '-- data-access: no-transaction\ncreate index concurrently users_name2 on users (name); select 1'
  const { connectionString, folder, client } = await build(t, [first, { ...second, sql }])
  await runMigrations({ connectionString, folder, to: first.tag })
  const holder = new Client({ connectionString })
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query("begin; insert into users values (1, 'a')")
  const { child, ended } = startMigrating(t, connectionString, { folder })
  const building = async () =>
    (await client.query("select from pg_stat_activity where datname = current_database() and query like '%create index concurrently%' and state = 'active' and pid <> pg_backend_pid()")).rowCount
  await until(async () => await building() === 1)
  child.kill('SIGKILL')
  await ended

  const next = runMigrations({ connectionString, folder })
  await until(async () =>
    (await client.query("select from pg_stat_activity where query like '%pg_try_advisory%' and pid <> pg_backend_pid() and datname = current_database()")).rowCount !==
    0)
  t.equal(await building(), 1)
  await holder.query('commit')
  t.strictSame(tags((await next).applied), ['0001_posts'])
  t.strictSame((await client.query("select indisvalid from pg_index where indexrelid = 'users_name2'::regclass")).rows, [{ indisvalid: true }])
})

for (const [directive, left] of [['', ['users']], ['-- data-access: no-transaction\n', ['posts', 'users']]] as const) {
  t.test(`56: a process killed in one of several schemas leaves ${directive === '' ? 'nothing of its file' : 'its place in the file'}, and the next one goes on there`, async (t) => {
    const sql = `${directive}${second.sql}\n--> statement-breakpoint\nselect pg_sleep(600) where to_regclass('hold') is not null`
    const { connectionString, folder, client } = await build(t, [first, { ...second, sql }])
    await client.query('create schema tenant_a; create schema tenant_b; create schema tenant_c; create table tenant_b.hold ()')
    const tables = async (schema: string) =>
      (await client.query("select tablename as name from pg_tables where schemaname = $1 and tablename in ('users', 'posts') order by 1", [schema])).rows.map(({ name }) => name)
    const sleeping = "from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"
    const { child, ended } = startMigrating(t, connectionString, { folder, schemas: 'tenant_%' })
    await until(async () => (await client.query(`select ${sleeping}`)).rowCount === 1)
    child.kill('SIGKILL')
    await ended
    await client.query(`drop table tenant_b.hold; select pg_cancel_backend(pid) ${sleeping}`)

    const { schemas } = await runMigrations({ connectionString, folder, schemas: 'tenant_%', dryRun: true })
    t.strictSame(schemas.map(({ migrations }) => tags([...migrations])), [[], ['0001_posts'], ['0000_users', '0001_posts']])
    t.strictSame([await tables('tenant_a'), await tables('tenant_b'), await tables('tenant_c')], [['posts', 'users'], left, []])

    const done = await runMigrations({ connectionString, folder, schemas: 'tenant_%' })
    t.strictSame(done.schemas.map(({ migrations }) => tags([...migrations])), [[], ['0001_posts'], ['0000_users', '0001_posts']])
    for (const schema of ['tenant_a', 'tenant_b', 'tenant_c']) {
      t.strictSame(await tables(schema), ['posts', 'users'])
      t.strictSame((await client.query(`select id, age from ${schema}.users`)).rows, [{ id: 1, age: null }], 'each statement has run once')
    }
  })
}
