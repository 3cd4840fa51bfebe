import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Client } from 'pg'
import { checkMigrations, getMigrationHistory, rollbackMigrations, runMigrations } from '../../../../src/migrations/index.js'
import { until } from '../../../helpers/until.js'
import { startProxy } from '../../../helpers/proxy.js'
import { posts, users } from '../folder.js'
import { build, tags } from '../setup.js'
import type { MigrationProgress } from '../../../../src/migrations/index.js'

const mark = '-- data-access: no-transaction\n'
const index: typeof posts = {
  tag: '0001_index',
  when: posts.when,
  sql: `${mark}create index concurrently users_id on users (id);\ncreate table posts (id int)`,
  down: `${mark}drop index concurrently users_id; drop table posts`
}

/** The progress table, and the indexes of the database with their validity. */
function look (client: Client) {
  return {
    progress: async () => (await client.query("select to_regclass('drizzle.__drizzle_migrations_progress')::text as name")).rows[0].name,
    indexes: async () =>
      (await client.query("select indexrelid::regclass::text as name, indisvalid as valid from pg_index where indexrelid::regclass::text in ('users_id', '\"Users; id\"')")).rows
  }
}

t.test('60: a non-transactional file runs outside a transaction, up and down, and leaves only its effect', async (t) => {
  const { client, tables, ...options } = await build(t, [users, index])
  const heard: MigrationProgress[] = []

  t.strictSame(tags((await runMigrations({ ...options, onProgress: (progress) => heard.push(progress) })).applied), ['0000_users', '0001_index'])
  t.strictSame(heard.filter(({ tag }) => tag === '0001_index').map(({ statement, total }) => [statement, total]), [[1, 2], [2, 2]])
  t.strictSame(await look(client).indexes(), [{ name: 'users_id', valid: true }])
  t.equal(await look(client).progress(), null)

  t.strictSame(tags((await rollbackMigrations(options)).rolledBack), ['0001_index'])
  t.strictSame(await look(client).indexes(), [])
  t.strictSame(await tables(), ['users'])
  t.equal(await look(client).progress(), null)
  t.strictSame(tags(await getMigrationHistory(options)), ['0000_users'])
})

t.test('60: a non-transactional file may commit in between', async (t) => {
  const sql =
    `${mark}begin; create table posts (id int); commit; do $$ begin insert into posts values (1); commit; end $$; create procedure p() language plpgsql as $$ begin rollback; end $$; call p()`
  const { tables, ...options } = await build(t, [{ ...posts, sql }])

  await runMigrations(options)
  t.strictSame(await tables(), ['posts'])
})

t.test('60: a transaction that a file begins itself is rolled back as a whole, and repeated by the next run', async (t) => {
  const text = (last: string) => `${mark}create table a (id int); begin; create table b (id int); ${last}; commit`
  const { client, tables, ...options } = await build(t, [{ ...posts, sql: text('select 1 / 0') }])

  await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_FAILED', message: /^0001_posts\.sql stopped at statement 4 of 5/ })
  t.strictSame(await tables(), ['a'])
  writeFileSync(join(options.folder, '0001_posts.sql'), text('select 1'))
  await runMigrations(options)
  t.strictSame(await tables(), ['a', 'b'])
})

t.test('60: a file that leaves its own transaction open is refused, and that transaction is rolled back', async (t) => {
  const { tables, ...options } = await build(t, [{ ...posts, sql: `${mark}create table a (id int); begin; create table b (id int)` }])

  await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_FAILED', message: /^0001_posts\.sql leaves its transaction open/ })
  t.strictSame(await tables(), ['a'])
})

t.test('60: a non-transactional file without statements is recorded', async (t) => {
  const { tables, ...options } = await build(t, [{ ...posts, sql: `${mark}-- later` }])

  t.strictSame(tags((await runMigrations(options)).applied), ['0001_posts'])
})

t.test('56: after a failure the next run continues where the file stopped, and later statements may be corrected', async (t) => {
  const broken = `${mark}create table a (id int); create table b (id int); select 1 / 0; create table c (id int)`
  const { tables, ...options } = await build(t, [{ ...posts, sql: broken, down: '' }])
  const file = join(options.folder, '0001_posts.sql')

  await t.rejects(runMigrations(options), {
    code: 'DB_MIGRATION_FAILED',
    message: /^0001_posts\.sql stopped at statement 3 of 4\. The statements before it are recorded as done: apply again to continue there/,
    context: { sqlState: '22012' }
  })
  t.strictSame(await tables(), ['a', 'b'])
  await t.rejects(
    rollbackMigrations({ ...options, to: 'nothing' }).then(({ rolledBack }) => { if (rolledBack.length === 0) throw new Error('nothing was applied') }),
    /nothing was applied/
  )

  writeFileSync(file, broken.replace('table a', 'table other'))
  await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_EDITED', message: /^0001_posts\.sql was edited in its first 2 statements/ })
  writeFileSync(file, broken.replace('1 / 0', '1'))
  const heard: number[] = []
  await runMigrations({ ...options, onProgress: ({ statement }) => heard.push(statement) })
  t.strictSame(heard, [3, 4])
  t.strictSame(await tables(), ['a', 'b', 'c'])
})

t.test('56: a non-transactional file whose first statement fails leaves no progress', async (t) => {
  const { client, tables, ...options } = await build(t, [{ ...posts, sql: `${mark}select 1 / 0` }])

  await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_FAILED' })
  t.equal(await look(client).progress(), null)
})

t.test('56: an unfinished file is finished before anything else, and in its own direction', async (t) => {
  const half = { ...posts, sql: `${mark}create table posts (id int)`, down: `${mark}drop table posts; select 1 / 0` }
  const later = { tag: '0002_later', when: posts.when + 1, sql: `${mark}create table a (id int); select 1 / 0` }
  const { tables, ...options } = await build(t, [{ ...users, down: 'drop table users' }, half, later])

  await t.rejects(runMigrations(options), { message: /^0002_later\.sql stopped/ })
  await t.rejects(rollbackMigrations(options), { code: 'DB_MIGRATION_FAILED', message: /^0002_later\.sql stopped after 1 of its statements.*apply again/ })
  writeFileSync(join(options.folder, '0002_later.sql'), `${mark}create table a (id int); select 1`)
  writeFileSync(join(options.folder, '0002_later.down.sql'), 'drop table a')
  await runMigrations(options)

  await t.rejects(rollbackMigrations({ ...options, steps: 2 }), { message: /^0001_posts\.down\.sql stopped at statement 2 of 2/ })
  await t.rejects(runMigrations(options), {
    code: 'DB_MIGRATION_FAILED', message: /^0001_posts\.down\.sql stopped after 1 of its statements.*roll back again/
  })
  t.match((await checkMigrations(options)).problems.map(({ kind }) => kind), ['unfinished', 'pending'])
  writeFileSync(join(options.folder, '0001_posts.down.sql'), `${mark}drop table posts; select 1`)
  t.strictSame(tags((await rollbackMigrations(options)).rolledBack), ['0001_posts'])
  t.strictSame(await tables(), ['users'])
})

t.test('56: no other file begins while one is unfinished', async (t) => {
  const first = { ...posts, sql: `${mark}create table posts (id int); select 1 / 0` }
  const { tables, ...options } = await build(t, [first])
  await t.rejects(runMigrations(options))
  const { folder } = await build(t, [users])

  await t.rejects(runMigrations({ ...options, folder }), { code: 'DB_MIGRATION_FAILED', message: /^0001_posts\.sql stopped after 1/ })
})

t.test('56: an invalid index from an interrupted build is dropped and built again', async (t) => {
  const sql = `${mark}create unique index concurrently if not exists "Users; id" on public . users (id)`
  const { client, tables, ...options } = await build(t, [
    { ...users, sql: 'create table users (id int); insert into users values (1), (1)' },
    { ...posts, sql }
  ])

  await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_FAILED', context: { sqlState: '23505' } })
  t.strictSame(await look(client).indexes(), [{ name: '"Users; id"', valid: false }])
  await client.query('truncate users')
  t.strictSame(tags((await runMigrations(options)).applied), ['0001_posts'])
  t.strictSame(await look(client).indexes(), [{ name: '"Users; id"', valid: true }])
})

t.test('56: a statement that took effect without being recorded is not repeated', async (t) => {
  const { client, tables, ...options } = await build(t, [users, index])
  const proxy = await startProxy(t, options.connectionString)
  const viaProxy = { folder: options.folder, connectionString: proxy.connectionString }
  const silenced = async (text: string, run: () => Promise<unknown>) => {
    const lost = proxy.loseAnswer(text)
    await t.rejects(run(), { code: 'DB_MIGRATION_FAILED', message: /The connection was lost/ })
    await lost
  }

  await silenced('create index concurrently', () => runMigrations(viaProxy))
  const heard: string[] = []
  await runMigrations({ ...options, onProgress: ({ statement, tag }) => heard.push(`${tag} ${statement}`) })
  t.strictSame(heard, ['0001_index 2'])

  await silenced('drop index concurrently', () => rollbackMigrations(viaProxy))
  heard.length = 0
  await rollbackMigrations({ ...options, onProgress: ({ statement }) => heard.push(`${statement}`) })
  t.strictSame(heard, ['2'])
  t.strictSame(await tables(), ['users'])
})

t.test('56: a statement of unknown outcome runs again, and its error says so', async (t) => {
  const name = `twice_${process.pid}_${Date.now()}`
  const { client, tables, ...options } = await build(t, [{ ...posts, sql: `${mark}create database ${name}; select 1` }])
  t.teardown(async () => { await client.query(`drop database if exists ${name}`) })
  const proxy = await startProxy(t, options.connectionString)
  const lost = proxy.loseAnswer('create database')
  await t.rejects(runMigrations({ folder: options.folder, connectionString: proxy.connectionString }))
  await lost

  await t.rejects(runMigrations(options), {
    code: 'DB_MIGRATION_FAILED',
    message: /An earlier run had begun it, and it may have taken effect then: if so, remove it from the file/,
    context: { sqlState: '42P04' }
  })
  writeFileSync(join(options.folder, '0001_posts.sql'), `${mark}select 1`)
  t.strictSame(tags((await runMigrations(options)).applied), ['0001_posts'])
})

t.test('60: a failure to record a file is an error that says so', async (t) => {
  const { tables, ...options } = await build(t, [{ ...posts, sql: `${mark}create table posts (id int); drop table drizzle.__drizzle_migrations` }])

  await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_FAILED', message: /^0001_posts\.sql stopped at the record that it was run/ })
})

t.test('55: a waiting runner does not block the build of an index', async (t) => {
  const { client, tables, ...options } = await build(t, [users, { ...index, sql: `${mark}create index concurrently users_id on users (id); select 1` }])
  await runMigrations({ ...options, to: '0000_users' })
  // Another transaction keeps the index waiting until the second runner waits, too.
  const other = new Client({ connectionString: options.connectionString })
  await other.connect()
  t.teardown(() => other.end())
  await other.query('begin; insert into users values (1)')
  const asks = async (text: string) => (await client.query(
    "select from pg_stat_activity where query like $1 and application_name = 'fastify-data-access migrations' and datname = current_database()",
    [`%${text}%`]
  )).rowCount

  const first = runMigrations(options)
  await until(async () => await asks('create index concurrently') === 1)
  const second = runMigrations(options)
  await until(async () => Number(await asks('pg_try_advisory')) > 0)
  await other.query('commit')

  t.strictSame((await Promise.all([first, second])).map(({ applied }) => tags(applied)), [['0001_index'], []])
})
