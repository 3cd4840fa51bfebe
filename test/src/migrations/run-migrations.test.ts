import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Pool } from 'pg'
import t from 'tap'
import { getCurrentMigration, getMigrationHistory, getPendingMigrations, runMigrations } from '../../../src/migrations/index.js'
import { until } from '../../helpers/until.js'
import { migrateByDrizzle } from './drizzle-migrators.js'
import { posts, users, writeFolder } from './folder.js'
import { build, catalogue, tags } from './setup.js'
import type { MigrationProgress } from '../../../src/migrations/index.js'

t.test('applies each file once, in order', async (t) => {
  const { tables, ...options } = await build(t)

  t.strictSame(tags((await runMigrations(options)).applied), ['0000_users', '0001_posts'])
  t.strictSame(await tables(), ['posts', 'users'])
  t.strictSame(tags((await runMigrations(options)).applied), [])
})

t.test('applies nothing with an aborted signal', async (t) => {
  const { tables, ...options } = await build(t)

  await t.rejects(runMigrations({ ...options, signal: AbortSignal.abort() }), { code: 'DB_MIGRATION_FAILED', message: /^The signal was aborted: the run stopped before the next statement/ })
  t.strictSame(await tables(), [])
})

t.test('applies up to a tag, and no further', async (t) => {
  const { tables, ...options } = await build(t)

  t.strictSame(tags((await runMigrations({ ...options, to: '0000_users' })).applied), ['0000_users'])
  t.strictSame(await tables(), ['users'])
  t.strictSame(tags((await runMigrations({ ...options, to: '0000_users' })).applied), [], 'the database is already there')
  t.strictSame(tags((await runMigrations({ ...options, to: '0001_posts' })).applied), ['0001_posts'])
})

t.test('refuses a tag that does not exist or lies behind', async (t) => {
  const { tables, ...options } = await build(t)
  await t.rejects(runMigrations({ ...options, to: '0002_none' }), { name: 'UsageError', message: /^There is no migration 0002_none in / })
  t.strictSame(await tables(), [])

  await runMigrations(options)
  await t.rejects(runMigrations({ ...options, to: '0000_users' }), {
    name: 'UsageError', message: /^0000_users is already applied, and so are others after it: rollbackMigrations/
  })
})

t.test('a dry run reports what would be applied, and changes nothing', async (t) => {
  const { client, tables, ...options } = await build(t)
  const before = await catalogue(client)

  t.strictSame(tags((await runMigrations({ ...options, dryRun: true })).applied), ['0000_users', '0001_posts'])
  t.strictSame(tags((await runMigrations({ ...options, dryRun: true, to: '0000_users' })).applied), ['0000_users'])
  t.strictSame(await catalogue(client), before)
})

t.test('reports each statement after it has run', async (t) => {
  const { tables, ...options } = await build(t)
  const heard: MigrationProgress[] = []
  await runMigrations({ ...options, onProgress: (progress) => heard.push(progress) })

  t.strictSame(heard.map(({ durationMillis, ...progress }) => progress), [
    { direction: 'up', tag: '0000_users', statement: 1, total: 2, sql: 'create table users (id int primary key);' },
    { direction: 'up', tag: '0000_users', statement: 2, total: 2, sql: 'create index on users (id);' },
    { direction: 'up', tag: '0001_posts', statement: 1, total: 1, sql: 'create table posts (id int);' }
  ])
  t.ok(heard.every(({ durationMillis }) => durationMillis > 0))
})

t.test('a listener that throws ends the run, and its file is rolled back', async (t) => {
  const { tables, ...options } = await build(t)
  const broken = new Error('broken')

  await t.rejects(runMigrations({ ...options, onProgress: () => { throw broken } }), {
    code: 'DB_MIGRATION_FAILED', message: /^A listener, onProgress or onWait, threw an error/, cause: { message: 'broken' }
  })
  t.strictSame(await tables(), [])
})

t.test('a file does not inherit what the one before it has set', async (t) => {
  const inherits = "create table posts (id int); do $$ begin if current_setting('statement_timeout') <> '0' then raise 'inherited'; end if; end $$"
  const { tables, ...options } = await build(t, [
    { ...users, sql: `${users.sql}\n--> statement-breakpoint\nset search_path = nowhere; set role pg_monitor; set statement_timeout = '1min'` },
    { ...posts, sql: inherits }
  ])
  await runMigrations(options)

  t.strictSame(await tables(), ['posts', 'users'])
})

t.test('numbers out of range are refused', async (t) => {
  for (const [name, value] of Object.entries({ lockTimeoutSeconds: -1, statementLockTimeoutSeconds: 0, lockRetries: 0.5 })) {
    await t.rejects(runMigrations({ [name]: value }), { name: 'UsageError', message: new RegExp(`^"${name}" of runMigrations\\(\\) must be a `) })
    await t.rejects(runMigrations({ [name]: '1' }), { name: 'UsageError' })
  }
})

t.test('a file that drizzle-orm recorded twice counts once', async (t) => {
  const { client, ...options } = await build(t)
  await runMigrations(options)
  await client.query('insert into drizzle.__drizzle_migrations (hash, created_at) select hash, created_at from drizzle.__drizzle_migrations')

  t.strictSame(tags(await getMigrationHistory(options)), ['0000_users', '0001_posts'])
})

t.test('reports applied, current and pending migrations, and changes nothing', async (t) => {
  const { client, ...options } = await build(t, [users])

  t.strictSame(tags(await getPendingMigrations(options)), ['0000_users'])
  t.equal(await getCurrentMigration(options), undefined)
  t.strictSame((await client.query("select 1 from pg_namespace where nspname = 'drizzle'")).rows, [])

  await runMigrations(options)
  writeFolder(options.folder, [users, posts])
  t.strictSame(tags(await getMigrationHistory(options)), ['0000_users'])
  t.strictSame(await getCurrentMigration(options), {
    tag: '0000_users', when: users.when, hash: (await client.query('select hash from drizzle.__drizzle_migrations')).rows[0].hash, hasDown: false
  })
  t.strictSame(tags(await getPendingMigrations(options)), ['0001_posts'])
})

t.test('a migration with a down file can be rolled back, and one without cannot', async (t) => {
  const options = await build(t)
  writeFileSync(join(options.folder, '0001_posts.down.sql'), 'drop table posts')

  t.strictSame((await getPendingMigrations(options)).map(({ hasDown }) => hasDown), [false, true])
})

t.test('works alternately with drizzle-orm\'s own migrator on the same folder and table', async (t) => {
  const options = await build(t, [users])
  const theirs = () => migrateByDrizzle(options.connectionString, options.folder, 'journal')

  await theirs()
  t.strictSame(tags(await getMigrationHistory(options)), ['0000_users'])

  writeFolder(options.folder, [users, posts])
  t.strictSame(tags((await runMigrations(options)).applied), ['0001_posts'])
  await t.resolves(theirs(), 'the migrator finds nothing left to do')
  t.equal((await getMigrationHistory(options)).length, 2)
})

t.test('reads when a migration was applied, if the table has it', async (t) => {
  const { client, ...options } = await build(t, [users])
  await runMigrations(options)
  await client.query("alter table drizzle.__drizzle_migrations add applied_at timestamptz default '2026-01-02T03:04:05Z'")

  t.strictSame((await getCurrentMigration(options))?.appliedAt, new Date('2026-01-02T03:04:05Z'))
})

t.test('records the applied migrations in the given table', async (t) => {
  const { client, ...options } = await build(t, [users])
  await runMigrations({ ...options, table: 'public.history' })
  await runMigrations({ ...options, folder: writeFolder(t.testdir({}), [posts]), table: 'others' })

  t.equal((await client.query('select * from public.history')).rowCount, 1)
  t.equal((await client.query('select * from drizzle.others')).rowCount, 1)
})

t.test('if two runners start at once, one applies, and the other waits and finds nothing to do', async (t) => {
  const { tables, ...options } = await build(t)
  const both = await Promise.all([runMigrations(options), runMigrations(options)])

  t.strictSame(both.map(({ applied }) => applied.length).sort(), [0, 2])
  t.equal((await getMigrationHistory(options)).length, 2)
})

t.test('gives up when another runner holds the lock for too long, and says so', async (t) => {
  const { client, tables, ...options } = await build(t)
  await client.query("select pg_advisory_lock(hashtextextended('fastify-data-access/migrations', 0))")

  await t.rejects(runMigrations({ ...options, lockTimeoutSeconds: 0 }), {
    name: 'MigrationError',
    code: 'DB_MIGRATION_LOCKED',
    message: /^Another process has been running migrations on this database for 0 seconds, process \d+ \(idle\): wait for it/
  })
  t.strictSame(await tables(), [])
})

t.test('reports a lock that was lost for another reason than time', async (t) => {
  const { client, tables, ...options } = await build(t)
  await client.query("select pg_advisory_lock(hashtextextended('fastify-data-access/migrations', 0))")
  const run = runMigrations(options)
  const waiting =
    "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_try_advisory%' and pid <> pg_backend_pid() and datname = current_database()"
  const ended = until(async () => (await client.query(waiting)).rowCount === 1)

  await t.rejects(run, { name: 'ConnectionError', code: 'DB_CONNECTION' })
  await ended
  t.strictSame(await tables(), [])
})

t.test('a file that fails leaves nothing behind, and the files before it stay', async (t) => {
  const broken = { ...posts, sql: 'create table posts (id int);\n--> statement-breakpoint\ncreate table users (secret int);' }
  const { tables, ...options } = await build(t, [users, broken])

  await t.rejects(runMigrations(options), {
    code: 'DB_MIGRATION_FAILED', message: /^0001_posts\.sql failed at statement 2 of 2/, context: { sqlState: '42P07' }, cause: { code: '42P07' }
  })
  t.strictSame(await tables(), ['users'])
  t.strictSame(tags(await getPendingMigrations(options)), ['0001_posts'])
})

t.test('a file whose deferred constraint fails at COMMIT leaves nothing behind', async (t) => {
  const sql = 'create table posts (id int primary key, next int references posts deferrable initially deferred); insert into posts values (1, 2);'
  const { tables, ...options } = await build(t, [{ ...posts, sql }])

  await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_FAILED', message: /failed at COMMIT/, cause: { code: '23503' } })
  t.strictSame(await tables(), [])
})

t.test('a connection that is lost during COMMIT leaves the outcome unknown, and the error says what finds it out', async (t) => {
  const sql = `create table posts (id int);
    create function die () returns trigger language plpgsql as $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
    create constraint trigger dies after insert on posts deferrable initially deferred for each row execute function die ();
    insert into posts values (1);`
  const { tables, ...options } = await build(t, [{ ...posts, sql }])

  await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_FAILED', message: /^The connection was lost during the COMMIT of 0001_posts\.sql, so its outcome is unknown: apply again/ })
  t.strictSame(await tables(), [])
})

t.test('a file that commits in a way the check cannot see is detected, and counts as not applied', async (t) => {
  const sql = "set standard_conforming_strings = off;\n--> statement-breakpoint\nselect '\\''; commit; create table later (id int); select ''"
  const { tables, ...options } = await build(t, [{ ...posts, sql }])

  await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_FAILED', message: /0001_posts\.sql ends its own transaction/ })
  t.strictSame(tags(await getPendingMigrations(options)), ['0001_posts'])
})

t.test('a backend lost in the middle of a file is reported, and the file can run again', async (t) => {
  const { tables, ...options } = await build(t, [{ ...posts, sql: 'create table posts (id int); select pg_terminate_backend(pg_backend_pid());' }])

  await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_FAILED', cause: { code: '57P01' } })
  t.strictSame(await tables(), [])
  writeFolder(options.folder, [posts])
  t.strictSame(tags((await runMigrations(options)).applied), ['0001_posts'])
})

t.test('refuses a file that was edited after it had been applied', async (t) => {
  const { tables, ...options } = await build(t, [users])
  await runMigrations(options)
  writeFolder(options.folder, [{ ...users, sql: `${users.sql}\n-- edited` }, posts])

  await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_EDITED', message: /0000_users\.sql/ })
  t.strictSame(await tables(), ['users'])
})

t.test('refuses an older file that was merged later, instead of skipping it', async (t) => {
  const { tables, ...options } = await build(t, [posts])
  await runMigrations(options)
  writeFolder(options.folder, [users, posts])

  await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_OUT_OF_ORDER', message: /0000_users\.sql/ })
  t.strictSame(await tables(), ['posts'])
})

t.test('refuses a database that is newer than the code', async (t) => {
  const { tables, ...options } = await build(t)
  await runMigrations(options)
  writeFolder(options.folder, [users])

  await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_MISSING', message: /generated 2023-11-14T22:13:21\.000Z/ })
})

t.test('refuses a folder without a journal, and a journal whose file is gone', async (t) => {
  const { tables, ...options } = await build(t)
  rmSync(join(options.folder, '0001_posts.sql'))
  await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_MISSING', message: /0001_posts\.sql is in the journal/ })

  rmSync(join(options.folder, 'meta'), { recursive: true })
  await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_MISSING', message: /npx data-access migrate create/ })
  t.strictSame(await tables(), [])
})

t.test('runs on the database of an open pool, without the time limits of its connections', async (t) => {
  const { connectionString, folder } = await build(t, [{ ...users, sql: 'select pg_sleep(0.05)' }])
  const pool = new Pool({ connectionString, statement_timeout: 10 })
  t.after(() => pool.end())

  t.equal((await runMigrations({ database: { pool }, folder })).applied.length, 1)
})

t.test('takes the database of DATABASE_URL and the folder ./drizzle unless told otherwise', async (t) => {
  const { connectionString } = await build(t, [])
  t.intercept(process, 'env', { value: { ...process.env, DATABASE_URL: connectionString } })

  t.strictSame(await getMigrationHistory(), [])
  t.strictSame(await getCurrentMigration(), undefined)
  t.ok((await getPendingMigrations()).length > 0)
  t.strictSame(await runMigrations().then(({ applied }) => applied.length), await getMigrationHistory().then(({ length }) => length))
})

t.test('a missing or silent database is an error without any part of its URL', async (t) => {
  t.intercept(process, 'env', { value: { ...process.env, DATABASE_URL: undefined } })
  await t.rejects(getMigrationHistory(), /connectionString/)
  await t.rejects(
    getMigrationHistory({ connectionString: 'postgresql://secret:secret@127.0.0.1:1/secret' }),
    { name: 'ConnectionError', message: /^((?!secret).)*$/ }
  )
})
