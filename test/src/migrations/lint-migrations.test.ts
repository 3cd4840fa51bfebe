import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { lintMigrations, runMigrations } from '../../../src/migrations/index.js'
import { writeFolders } from './layouts.js'
import { build, catalogue } from './setup.js'
import type { LintFinding } from '../../../src/migrations/index.js'

const when = 1_700_000_000_000
const tables = { tag: '0000_tables', when, sql: 'create table users (id int primary key, name text); create table posts (id int)' }
const index = { tag: '0001_index', when: when + 1000, sql: 'create index on users (name);\ncreate index on posts (id)' }
const fresh = { tag: '0002_fresh', when: when + 2000, sql: 'create table fresh (id int)' }
const check = { tag: '0003_check', when: when + 3000, sql: 'alter table fresh add check (id > 0)' }
const all = [tables, index, fresh, check]

const short = ({ findings }: { findings: readonly LintFinding[] }) => findings.map(({ file, line, rule, table }) => `${file}:${line} ${rule} ${table}`)

t.test('checks what is pending, as if it were deployed together, and changes nothing', async (t) => {
  const { client, ...options } = await build(t, all)

  t.strictSame(await lintMigrations(options), { ok: true, findings: [] }, 'an empty database has no table in use')
  await runMigrations({ ...options, to: '0000_tables' })
  const before = await catalogue(client)
  const found = await lintMigrations(options)
  t.strictSame(short(found), ['0001_index.sql:1 create-index users', '0001_index.sql:2 create-index posts'])
  t.equal(found.ok, false)
  t.match(found.findings[0], { tag: '0001_index', lock: 'SHARE', statement: 'create index on users(name)', steps: [/CONCURRENTLY/] })
  t.strictSame(await catalogue(client), before)
})

t.test('tells the size of a table as PostgreSQL estimates it, and finds the same whatever it is', async (t) => {
  const { client, ...options } = await build(t, all)
  await runMigrations({ ...options, to: '0000_tables' })
  await client.query("insert into users select g, 'a' from generate_series(1, 500) g; analyze users")

  t.strictSame((await lintMigrations(options)).findings.map(({ table, rows }) => [table, rows]), [['users', 500], ['posts', undefined]])
})

t.test('checks every migration by itself, or those that are named, without a database', async (t) => {
  const { folder } = await build(t, all)
  const nowhere = { folder, connectionString: 'postgresql://127.0.0.1:1/none' }

  t.strictSame(short(await lintMigrations({ ...nowhere, migrations: 'all' })), ['0001_index.sql:1 create-index users', '0001_index.sql:2 create-index posts', '0003_check.sql:1 check-constraint fresh'])
  t.strictSame(short(await lintMigrations({ ...nowhere, migrations: ['0003_check'] })), ['0003_check.sql:1 check-constraint fresh'])
  t.strictSame(short(await lintMigrations({ ...nowhere, migrations: ['./drizzle/0003_check.sql', '0002_fresh'] })), [])
  await t.rejects(lintMigrations({ ...nowhere, migrations: ['check.sql'] }), { name: 'UsageError', message: /^There is no migration check\.sql in / })
  await t.rejects(lintMigrations(nowhere), { name: 'ConnectionError' })
})

t.test('reads the layout of drizzle-kit 1.0', async (t) => {
  const folder = writeFolders(t.testdir({}), all)
  const file = '20231114221321_index/migration.sql'

  t.strictSame(short(await lintMigrations({ folder, migrations: [`drizzle\\${file.replace('/', '\\')}`] })), [`${file}:1 create-index users`, `${file}:2 create-index posts`])
  t.equal((await lintMigrations({ folder, migrations: ['20231114221321_index'] })).findings.length, 2)
})

t.test('refuses a directive of a checked file only, and a missing file of those only', async (t) => {
  const { folder } = await build(t, [{ ...tables, sql: '-- data-access: nothing\ncreate table users (id int)' }, index])

  t.equal((await lintMigrations({ folder, migrations: ['0001_index'] })).findings.length, 2)
  await t.rejects(lintMigrations({ folder, migrations: ['0000_tables'] }), { code: 'DB_MIGRATION_FAILED', message: /unknown directive, nothing/ })
  writeFileSync(join(folder, 'meta/_journal.json'), JSON.stringify({ entries: [{ tag: '0000_gone', when }, { tag: '0001_index', when }] }))
  t.equal((await lintMigrations({ folder, migrations: ['0001_index'] })).findings.length, 2)
  await t.rejects(lintMigrations({ folder, migrations: 'all' }), { code: 'DB_MIGRATION_MISSING' })
})

t.test('runs a file that allows a rule, and takes the directive for no edit', async (t) => {
  const { client, ...options } = await build(t, [tables, index])
  await runMigrations(options)
  writeFileSync(join(options.folder, '0001_index.sql'), `-- data-access: may-block create-index few rows\n${index.sql}`)

  t.strictSame((await runMigrations(options)).applied, [])
  t.strictSame(short(await lintMigrations({ ...options, migrations: 'all' })), ['0001_index.sql:3 create-index posts'])
})
