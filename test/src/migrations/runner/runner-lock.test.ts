import t from 'tap'
import { Client } from 'pg'
import { runMigrations } from '../../../../src/migrations/index.js'
import { until } from '../../../helpers/until.js'
import { posts, users } from '../folder.js'
import { build, tags } from '../setup.js'
import type { Test } from 'tap'
import type { MigrationWait } from '../../../../src/migrations/index.js'

const alter = { ...posts, sql: 'create table before (id int);\n--> statement-breakpoint\nalter table users add column age int' }

/** A table in use by an open transaction, and a migration that alters it. */
async function buildBusy (t: Test, migration = alter) {
  const { client, tables, ...options } = await build(t, [users, migration])
  await runMigrations({ ...options, to: '0000_users' })
  const other = new Client({ connectionString: options.connectionString, application_name: 'the application' })
  await other.connect()
  t.after(() => other.end())
  await other.query('begin; insert into users values (1)')
  return { client, tables, other, options: { ...options, statementLockTimeoutSeconds: 0.3 } }
}

t.test('61: a file that does not get its locks lets other statements pass, and is retried as a whole', async (t) => {
  const { client, tables, other, options } = await buildBusy(t)
  const waits: MigrationWait[] = []
  const onWait = (wait: MigrationWait) => {
    waits.push(wait)
    if (waits.length === 2) other.query('commit').catch(t.fail)
  }

  const run = runMigrations({ ...options, onWait })
  await until(() => waits.length === 1)
  t.equal((await client.query('select from users')).rowCount, 0, 'later statements run')
  t.strictSame(await tables(), ['users'])
  t.strictSame(tags((await run).applied), ['0001_posts'])

  t.strictSame(await tables(), ['before', 'users'])
  t.match(waits, [
    { direction: 'up', tag: '0001_posts', attempts: 1, blockedBy: [/^process \d+ \(the application, idle in transaction for \d+ s\)$/] },
    { attempts: 2 }
  ])
  t.ok(waits.every(({ pauseMillis }, index) => pauseMillis >= 250 * 2 ** index && pauseMillis <= 500 * 2 ** index))
})

t.test('61: a file that never gets its locks is given up, and names the blocking session', async (t) => {
  const { client, tables, other, options } = await buildBusy(t)
  const { rows: [{ pid }] } = await other.query('select pg_backend_pid() as pid')

  await t.rejects(runMigrations({ ...options, lockRetries: 1 }), {
    code: 'DB_MIGRATION_LOCKED',
    message: new RegExp(`^0001_posts\\.sql did not get its locks in 2 attempts, .*process ${pid} \\(the application, idle in transaction for \\d+ s\\) blocked it`),
    context: { sqlState: '55P03' }
  })
  t.strictSame(await tables(), ['users'])
  t.equal((await client.query("select from pg_locks, pg_database where database = pg_database.oid and datname = current_database() and relation = 'users'::regclass and not granted")).rowCount, 0)
})

t.test('61: without a wait for the lock, the blocking session is unknown', async (t) => {
  const { options } = await buildBusy(t, { ...posts, sql: 'lock table users in access exclusive mode nowait' })

  await t.rejects(runMigrations({ ...options, lockRetries: 0 }), {
    code: 'DB_MIGRATION_LOCKED', message: /in 1 attempt, .*Another session blocked it/
  })
})

t.test('61: a non-transactional statement is retried by itself, except inside the file\'s own transaction', async (t) => {
  const mark = '-- data-access: no-transaction\n'
  const { client, tables, other, options } = await buildBusy(t, {
    ...posts, sql: `${mark}create table before (id int); alter table users add column age int; begin; alter table held add column size int; commit`
  })
  await client.query('create table held (id int)')
  await client.query('begin; lock table held in share mode')
  await t.rejects(runMigrations({ ...options, lockRetries: 0 }), { code: 'DB_MIGRATION_LOCKED' })

  let attempts = 0
  const release = ({ attempts: count }: MigrationWait) => {
    attempts = count
    other.query('commit').catch(t.fail)
  }
  await t.rejects(runMigrations({ ...options, onWait: release }), {
    code: 'DB_MIGRATION_FAILED', message: /^0001_posts\.sql stopped at statement 4 of 5/, cause: { code: '55P03' }
  })
  t.equal(attempts, 1)
  await client.query('commit')
  t.strictSame(tags((await runMigrations(options)).applied), ['0001_posts'])
  t.strictSame(await tables(), ['before', 'held', 'users'])
})

t.test('61: a file that ends in a deadlock is retried', async (t) => {
  const { tables, ...options } = await build(t, [{ ...posts, sql: "create table posts (id int); do $$ begin raise exception using errcode = '40P01'; end $$" }])
  let waits = 0

  await t.rejects(runMigrations({ ...options, lockRetries: 1, onWait: () => waits++ }), { code: 'DB_MIGRATION_LOCKED', context: { sqlState: '40P01' } })
  t.equal(waits, 1)
  t.strictSame(await tables(), [])
})

t.test('56: a runner that waits for the statement of a killed one keeps no transaction open, for whose end that statement might wait', async (t) => {
  const { client, tables, ...options } = await build(t, [users])
  await client.query("select pg_advisory_lock(hashtextextended('fastify-data-access/migrations/work', 0))")
  const run = runMigrations(options)
  const begun = new Set<number>()
  await until(async () => {
    const { rows } = await client.query<{ begun: string }>(
      "select extract(epoch from xact_start) as begun from pg_stat_activity where datname = current_database() and state = 'idle in transaction'"
    )
    for (const row of rows) begun.add(Number(row.begun))
    return begun.size >= 3
  })
  t.strictSame(await tables(), [])
  await client.query('select pg_advisory_unlock_all()')
  t.strictSame(tags((await run).applied), ['0000_users'])
})

t.test('56: while a runner waits so, another one may take its place, and each migration is applied once', async (t) => {
  const { client, tables, ...options } = await build(t, [users, posts])
  await client.query("select pg_advisory_lock(hashtextextended('fastify-data-access/migrations/work', 0))")
  const runs = [runMigrations(options), runMigrations(options), runMigrations(options)]
  const waiting = new Set<string>()
  await until(async () => {
    const { rows } = await client.query<{ pid: string }>(
      "select pid from pg_stat_activity where datname = current_database() and query like '%pg_try_advisory%' and pid <> pg_backend_pid()"
    )
    for (const { pid } of rows) waiting.add(pid)
    return waiting.size >= 4
  })
  await client.query('select pg_advisory_unlock_all()')
  const applied = await Promise.all(runs)
  t.strictSame(applied.flatMap((result) => tags(result.applied)).sort(), ['0000_users', '0001_posts'])
  t.strictSame(await tables(), ['posts', 'users'])
})
