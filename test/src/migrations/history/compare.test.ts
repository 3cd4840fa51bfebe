import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkMigrations, getMigrationHistory, getPendingMigrations, rollbackMigrations, runMigrations } from '../../../../src/migrations/index.js'
import { equivalentTexts } from '../../../../src/migrations/folder/directives.js'
import { migrateByDrizzle } from '../drizzle-migrators.js'
import { posts, users, writeFolder, type TestMigration } from '../folder.js'
import { build, tags } from '../setup.js'

const mark = '-- data-access: no-transaction'

t.test('directives may be added to an applied file, anywhere, and removed again', async (t) => {
  const sql = 'COMMIT;--> statement-breakpoint\nCREATE INDEX CONCURRENTLY IF NOT EXISTS pier_a ON pier (a);'
  const places = [
    `${mark}\n${sql}`, `${mark}\r\n${sql}`, `\n${mark}\n\n${sql}`, `${sql}\n${mark}`, `${sql}\n${mark}\n`, sql.replace('breakpoint\n', `breakpoint\n${mark}\n`),
    sql.replace('CREATE', `  ${mark}\nCREATE`), sql.replace(/$/, ` ${mark}`), `-- data-access: irreversible the pier\n${mark}\n${sql}`
  ]
  const pier = { tag: '0000_pier', when: 1, sql: 'create table pier (a text)' }
  const unmarked = { tag: '0001_a', when: 2, sql }
  const { client, tables, ...options } = await build(t, [pier, unmarked])
  await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_FAILED', message: /no-transaction/ })
  writeFolder(options.folder, [pier])
  await runMigrations(options)
  await client.query('insert into drizzle.__drizzle_migrations (hash, created_at) values ($1, 2)', [createHash('sha256').update(sql).digest('hex')])

  for (const marked of places) {
    writeFolder(options.folder, [pier, { ...unmarked, sql: marked }])
    t.strictSame(await checkMigrations(options), { ok: true, problems: [] }, JSON.stringify(marked))
    t.strictSame((await runMigrations(options)).applied, [])
  }
  writeFolder(options.folder, [pier, { ...unmarked, sql: `${mark}\n${sql.replace('pier_a', 'pier_b')}` }])
  t.match((await checkMigrations(options)).problems, [{ kind: 'edited', tag: '0001_a' }], 'anything else is an edit')

  // On an empty database the file with its directive runs, and is recorded with the hash that drizzle-kit would use.
  const empty = await build(t, [pier, { ...unmarked, sql: `${mark}\n${sql}` }])
  t.strictSame(tags((await runMigrations(empty)).applied), ['0000_pier', '0001_a'])
  t.equal((await getMigrationHistory(empty))[1]?.hash, createHash('sha256').update(readFileSync(join(empty.folder, '0001_a.sql'))).digest('hex'))
  writeFolder(empty.folder, [pier, unmarked])
  t.strictSame((await checkMigrations(empty)).problems, [], 'without its directive it is the same file')
})

t.test('a directive inside a string and other comments belong to the text of a file', async (t) => {
  for (const sql of [
    `select '\n${mark}\n'`,
    '-- mine\nselect 1',
    `/* ${mark} */ select 1`,
    `do $$ begin\n${mark}\nend $$`
  ]) t.equal(equivalentTexts(`${mark}\n${sql}`)[1], sql)
})

t.test('applies a journal out of order like drizzle-kit, and can apply again after every rollback', async (t) => {
  const [pier, a, b] = [
    { tag: '0000_pier', when: 1000, sql: 'create table pier (id int)', down: 'drop table pier' },
    { tag: '0001_a', when: 9000, sql: 'alter table pier add a text', down: 'alter table pier drop a' },
    { tag: '0002_b', when: 5000, sql: 'alter table pier add b text', down: 'alter table pier drop b' }
  ] as const
  const ours = await build(t, [pier, a, b])
  t.strictSame((await checkMigrations(ours)).problems.map(({ kind }) => kind), ['pending', 'pending', 'pending'])
  t.equal((await runMigrations({ ...ours, to: '0001_a' })).applied.length, 2)
  t.strictSame(tags((await runMigrations(ours)).applied), ['0002_b'])
  t.strictSame((await rollbackMigrations(ours)).rolledBack.map(({ tag }) => tag), ['0002_b'])
  t.strictSame(tags(await getPendingMigrations(ours)), ['0002_b'])
  t.strictSame(tags((await runMigrations(ours)).applied), ['0002_b'])
  await migrateByDrizzle(ours.connectionString, ours.folder, 'journal')
  t.strictSame(await checkMigrations(ours), { ok: true, problems: [] })

  const theirs = await build(t, [pier, a, b])
  await migrateByDrizzle(theirs.connectionString, theirs.folder, 'journal')
  t.strictSame(await checkMigrations(theirs), { ok: true, problems: [] })
  await rollbackMigrations({ ...theirs, to: 'nothing' })
  t.equal((await runMigrations(theirs)).applied.length, 3)

  writeFolder(theirs.folder, [pier, { ...b, tag: '0003_late', sql: 'select 1' }, a, b])
  await t.rejects(
    runMigrations(theirs),
    { code: 'DB_MIGRATION_OUT_OF_ORDER', message: /^0003_late\.sql is older than an applied migration that comes after it/ },
    'what would be skipped is refused'
  )
})

t.test('after any rollback the files can be applied again, with any times and either migrator', async (t) => {
  let seed = 7
  const random = (below: number) => { seed = (seed * 48271) % 2147483647; return seed % below }
  for (let round = 0; round < 8; round++) {
    const journal: TestMigration[] = Array.from({ length: 5 }, (_, index) => ({
      tag: `000${index}_t${index}`, when: 1 + random(4), sql: `create table t${index} (id int)`, down: `drop table t${index}`
    }))
    const { client, tables, ...options } = await build(t, journal.slice(0, 1 + random(5)))
    await (random(2) === 0 ? migrateByDrizzle(options.connectionString, options.folder, 'journal') : runMigrations(options))
    writeFolder(options.folder, journal)
    for (let step = 0; step < 3; step++) {
      await runMigrations({ ...options, ...random(2) === 0 && { to: (await getPendingMigrations(options)).at(0)?.tag } })
      await rollbackMigrations({ ...options, steps: 1 + random(5) })
    }
    await runMigrations(options)
    t.strictSame(await tables(), journal.map((_, index) => `t${index}`), journal.map(({ when }) => when).join(' '))
    t.strictSame(await checkMigrations(options), { ok: true, problems: [] })
    await rollbackMigrations({ ...options, to: 'nothing' })
    t.strictSame((await client.query('select * from drizzle.__drizzle_migrations')).rows, [])
  }
})

t.test('matches a migration by its hash if its time changed, and tells files of one time apart', async (t) => {
  const all = [{ ...users, down: 'drop table users' }, { ...posts, down: 'drop table posts' }]
  const { client, tables, ...options } = await build(t, all)
  await runMigrations(options)
  writeFolder(options.folder, all.map((migration) => ({ ...migration, when: 1 })))
  t.strictSame(await checkMigrations(options), { ok: true, problems: [] })
  t.strictSame((await rollbackMigrations({ ...options, steps: 2 })).rolledBack.map(({ tag }) => tag), ['0001_posts', '0000_users'])
  t.strictSame((await client.query('select * from drizzle.__drizzle_migrations')).rows, [])

  await runMigrations(options)
  t.strictSame(await tables(), ['posts', 'users'])
  writeFileSync(join(options.folder, '0000_users.sql'), 'edited')
  t.match((await checkMigrations(options)).problems, [{ kind: 'edited', tag: '0000_users' }])
  t.strictSame((await rollbackMigrations(options)).rolledBack.map(({ tag }) => tag), ['0001_posts'])
})

t.test('a migration recorded twice counts once, and both rows are removed together', async (t) => {
  const all = [{ ...users, down: 'drop table users' }, { ...posts, down: 'drop table posts' }]
  const { client, ...options } = await build(t, all)
  await runMigrations(options)
  await client.query("insert into drizzle.__drizzle_migrations (hash, created_at) select 'other', created_at from drizzle.__drizzle_migrations")
  t.strictSame(await checkMigrations(options), { ok: true, problems: [] })
  await rollbackMigrations(options)
  t.equal((await client.query('select * from drizzle.__drizzle_migrations')).rowCount, 2)

  writeFolder(options.folder, [])
  t.equal((await checkMigrations(options)).problems.filter(({ kind }) => kind === 'missing').length, 1)
})

t.test('a user without CREATE permission is refused only if something must be created', async (t) => {
  const { client, connectionString, ...options } = await build(t, [users])
  await runMigrations({ ...options, connectionString })
  const { rows: [{ name }] } = await client.query("select 'plain_' || pg_backend_pid() as name")
  await client.query(`create role ${name} login password 'x'; grant usage on schema drizzle, public to ${name}; grant select, insert, delete on all tables in schema drizzle to ${name}; grant usage on all sequences in schema drizzle to ${name}`)
  t.after(async () => { await client.query(`drop owned by ${name}; drop role ${name}`) })
  const url = new URL(connectionString)
  Object.assign(url, { username: name, password: 'x' })
  const plain = { ...options, connectionString: url.href }

  t.strictSame((await runMigrations(plain)).applied, [])
  writeFolder(options.folder, [users, { ...posts, sql: 'select 1', down: '' }])
  t.strictSame(tags((await runMigrations(plain)).applied), ['0001_posts'])
  t.strictSame((await rollbackMigrations(plain)).rolledBack.map(({ tag }) => tag), ['0001_posts'])
  await t.rejects(runMigrations({ ...plain, table: 'other.history' }), { name: /Error$/, context: { sqlState: '42501' } })
  await client.query(`create schema other authorization ${name}`)
  t.equal(
    (await runMigrations({ ...plain, folder: writeFolder(t.testdir({}), [{ ...posts, sql: 'select 1' }]), table: 'other.history' })).applied.length,
    1,
    'an existing schema needs no permission'
  )
})
