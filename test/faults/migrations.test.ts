import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import { Client, Pool } from 'pg'
import t from 'tap'
import { getMigrationHistory, getPendingMigrations, rollbackMigrations, runMigrations } from '../../src/migrations/index.js'
import { startMigrating } from '../helpers/migrating.js'
import { startProxy } from '../helpers/proxy.js'
import { until } from '../helpers/until.js'
import { first, second, third } from '../src/migrations/history.js'
import { writeFolder, type TestMigration } from '../src/migrations/folder.js'
import { build, catalogue, catalogueWithout, tags } from '../src/migrations/setup.js'

t.test('55: of two runners that start together, fifty times, one applies each file and the other reports none', async (t) => {
  const { connectionString, folder, client } = await build(t, [first, second])
  const options = { connectionString, folder }

  for (let round = 0; round < 50; round++) {
    const both = await Promise.all([runMigrations(options), runMigrations(options)])
    t.strictSame(both.map(({ applied }) => applied.length).sort(), [0, 2], `round ${round}`)
    const { rows } = await client.query<{ count: number }>('select count(*)::int as count from drizzle.__drizzle_migrations')
    t.strictSame(rows, [{ count: 2 }])
    await client.query('drop schema drizzle cascade; drop table users, posts')
  }
})

t.test('55: of two processes that start together one applies each file, and the other reports none', async (t) => {
  const { connectionString, folder } = await build(t, [first, second])
  const ends = await Promise.all([startMigrating(t, connectionString, folder).ended, startMigrating(t, connectionString, folder).ended])

  t.strictSame(ends.map(({ code }) => code), [0, 0], ends.map(({ stderr }) => stderr).join())
  t.strictSame(ends.map(({ stdout }) => stdout).sort(), ['["0000_users","0001_posts"]', '[]'])
})

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
    'begin; set local', 'pg_current_xact_id', 'create table users', 'create index users_name', 'create table posts', 'add column age',
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
    const { child, ended, reaches } = startMigrating(t, connectionString, folder)
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
  const { child, ended } = startMigrating(t, connectionString, folder)
  const building = async () =>
    (await client.query("select from pg_stat_activity where datname = current_database() and query like '%create index concurrently%' and state = 'active' and pid <> pg_backend_pid()")).rowCount
  await until(async () => await building() === 1)
  child.kill('SIGKILL')
  await ended

  const next = runMigrations({ connectionString, folder })
  await until(async () =>
    (await client.query("select from pg_stat_activity where query like '%pg_try_advisory_lock%' and pid <> pg_backend_pid() and datname = current_database()")).rowCount !==
    0)
  t.equal(await building(), 1)
  await holder.query('commit')
  t.strictSame(tags((await next).applied), ['0001_posts'])
  t.strictSame((await client.query("select indisvalid from pg_index where indexrelid = 'users_name2'::regclass")).rows, [{ indisvalid: true }])
})

t.test('57: a file edited after it had been applied is refused by its name, and nothing changes', async (t) => {
  const { connectionString, folder, client } = await build(t, [first])
  await runMigrations({ connectionString, folder })
  writeFolder(folder, [{ ...first, sql: `${first.sql}-- edited` }, second])
  const before = await catalogue(client)

  const refusal = { code: 'DB_MIGRATION_EDITED', message: /^0000_users\.sql was edited/ }
  await t.rejects(runMigrations({ connectionString, folder }), refusal)
  await t.rejects(rollbackMigrations({ connectionString, folder }), refusal)
  await t.rejects(getPendingMigrations({ connectionString, folder }), refusal)
  t.strictSame(await catalogue(client), before)
})

t.test('58: an older file merged later is refused, and never skipped silently', async (t) => {
  const { connectionString, folder, client } = await build(t, [first, third])
  await runMigrations({ connectionString, folder })
  writeFolder(folder, [first, second, third])
  const before = await catalogue(client)

  await t.rejects(runMigrations({ connectionString, folder }), { code: 'DB_MIGRATION_OUT_OF_ORDER', message: /^0001_posts\.sql is older.*drizzle-kit drop/ })
  t.strictSame(await catalogue(client), before)
})

t.test('59: a database newer than the code, and a journal whose file is missing, are refused', async (t) => {
  const { connectionString, folder, client } = await build(t, [first, second])
  await runMigrations({ connectionString, folder })
  const before = await catalogue(client)
  const older = writeFolder(join(t.testdir({}), 'older'), [first])
  await t.rejects(runMigrations({ connectionString, folder: older }), { code: 'DB_MIGRATION_MISSING', message: /the database is newer than this code/ })
  await t.rejects(rollbackMigrations({ connectionString, folder: older }), { code: 'DB_MIGRATION_MISSING' })

  const without = join(t.testdir({}), 'without')
  mkdirSync(join(without, 'meta'), { recursive: true })
  writeFileSync(join(without, 'meta', '_journal.json'), JSON.stringify({ entries: [{ tag: '0000_gone', when: 1 }] }))
  await t.rejects(runMigrations({ connectionString, folder: without }), { code: 'DB_MIGRATION_MISSING', message: /^0000_gone\.sql is in the journal/ })
  t.strictSame(await catalogue(client), before)
})

t.test('drizzle-orm\'s migrator and ours find nothing to do after each other, at each point of a history', async (t) => {
  const history = [first, second, third]
  for (let point = 1; point <= history.length; point++) {
    for (const oursFirst of [true, false]) {
      const { connectionString, folder, client } = await build(t, history.slice(0, point))
      const pool = new Pool({ connectionString })
      const ours = async () => (await runMigrations({ connectionString, folder })).applied.length
      const theirs = async () => {
        const count = async () => (await client.query("select to_regclass('drizzle.__drizzle_migrations') as name")).rows[0].name ===
          null
          ? 0
          : (await client.query('select from drizzle.__drizzle_migrations')).rowCount
        const before = Number(await count())
        await migrate(drizzle(pool), { migrationsFolder: folder })
        return Number(await count()) - before
      }
      const [one, other] = oursFirst ? [ours, theirs] : [theirs, ours]

      t.strictSame([await one(), await other()], [point, 0])
      writeFolder(folder, history)
      t.strictSame([await other(), await one()], [history.length - point, 0])
      const done = await catalogueWithout(client)

      t.strictSame(tags((await rollbackMigrations({ connectionString, folder, steps: point })).rolledBack), tags(history.slice(-point).reverse()))
      t.strictSame([await one(), await other()], [point, 0], 'also after the way back')
      t.strictSame(await catalogueWithout(client), done)
      await pool.end()
    }
  }
})

t.test('drizzle-kit migrate and ours find nothing to do after each other, also after a rollback', async (t) => {
  const { connectionString, folder, client } = await build(t, [first])
  const kit = async () => {
    const bin = fileURLToPath(new URL('../../node_modules/drizzle-kit/bin.cjs', import.meta.url))
    const config = join(folder, 'drizzle.config.json')
    writeFileSync(config, JSON.stringify({ dialect: 'postgresql', out: folder, dbCredentials: { url: connectionString } }))
    const child = spawn(process.execPath, [bin, 'migrate', '--config', config], {
      stdio: ['ignore', 'pipe', 'pipe'], cwd: fileURLToPath(new URL('../..', import.meta.url))
    })
    child.stdout.resume()
    child.stderr.resume()
    const [code] = await once(child, 'close')
    t.equal(code, 0)
  }

  await kit()
  t.strictSame((await runMigrations({ connectionString, folder })).applied, [])
  writeFolder(folder, [first, second])
  await runMigrations({ connectionString, folder })
  await rollbackMigrations({ connectionString, folder })
  await kit()
  const done = await catalogue(client)
  t.strictSame((await runMigrations({ connectionString, folder })).applied, [])
  t.strictSame(await catalogue(client), done)
  t.strictSame(tags(await getMigrationHistory({ connectionString, folder })), ['0000_users', '0001_posts'])
})
