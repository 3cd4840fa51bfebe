import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { upgradeText } from '../../../../src/migrations/cli/report.js'
import { checkMigrations, rollbackMigrations, runMigrations, upgradeMigrations } from '../../../../src/migrations/index.js'
import { withMigrationLock } from '../../../../src/migrations/runner/runner-lock.js'
import { isDrizzle1 } from '../../../helpers/drizzle.js'
import { projectRoot } from '../../../house/source-files.js'
import { openDatabase } from '../../../../src/index.js'
import { first, second, third } from '../history.js'
import { migrateByDrizzle } from '../drizzle-migrators.js'
import { rewrite } from '../layouts.js'
import { build, tags } from '../setup.js'
import { filesOf, writeFiles } from './folders.js'
import type { TestMigration } from '../folder.js'

const names = ['20231114221320_users', '20231114221321_posts', '20231114221322_likes']
const table = 'drizzle.__drizzle_migrations'
const rowsOf = `select * from ${table} order by id`
const writes = { write: true } as const
const back = { write: true, back: true } as const
// Its second statement fails until it is set right.
const halfway: TestMigration = {
  ...second,
  sql: '-- data-access: no-transaction\ncreate table posts (id int);\n--> statement-breakpoint\ninsert into posts select id from drafts;',
  down: '-- data-access: no-transaction\ndrop table posts;\n--> statement-breakpoint\ndelete from drafts;'
}

delete process.env['DATABASE_URL']

t.test('a dry run reports the changes of the table, and makes none', async (t) => {
  const { client, tables, ...options } = await build(t, [first, second, third])
  await runMigrations({ ...options, to: second.tag })
  const [rows, files] = [(await client.query(rowsOf)).rows, filesOf(options.folder)]
  const rowsChanged = [{ tag: first.tag, name: names[0] }, { tag: second.tag, name: names[1] }]

  t.strictSame((await upgradeMigrations(options)).table, { columns: 'added', rows: rowsChanged })
  t.strictSame((await client.query(rowsOf)).rows, rows)
  t.strictSame(filesOf(options.folder), files)
  t.strictSame((await upgradeMigrations({ ...options, ...writes })).table, { columns: 'added', rows: rowsChanged })
  t.strictSame((await upgradeMigrations({ ...options, ...writes })), { written: true, files: [], table: { columns: 'unchanged', rows: [] } })
  t.strictSame((await upgradeMigrations({ ...options, back: true })).table, { columns: 'removed', rows: rowsChanged })
  await upgradeMigrations({ ...options, ...back })
  t.strictSame((await client.query(rowsOf)).rows, rows)
  t.strictSame(await upgradeMigrations({ ...options, ...back }), { written: true, files: [], table: { columns: 'unchanged', rows: [] } })
})

t.test('snapshots need drizzle-kit 1.0, which the refusal says; without them an upgrade does not need it', async (t) => {
  const folder = t.testdir({})
  writeFiles(folder, filesOf(join(projectRoot, 'test/folders/harbour')))
  if (!isDrizzle1) await t.rejects(upgradeMigrations({ folder }), { code: 'DB_MIGRATION_FAILED', message: /needs drizzle-kit 1\.0.*npm install --save-dev drizzle-kit@\^1\.0\.0-rc\.5/ })
  rmSync(join(folder, 'meta/0000_snapshot.json'))
  rmSync(join(folder, 'meta/0001_snapshot.json'))
  rmSync(join(folder, 'meta/0002_snapshot.json'))
  t.equal((await upgradeMigrations({ folder })).files.length, 4)
})

t.test('a database without the table needs nothing, and an open database serves in place of a URL', async (t) => {
  const { client, connectionString, folder } = await build(t, [first])
  const database = await openDatabase({ connectionString })
  t.after(() => database.close())
  t.strictSame((await upgradeMigrations({ database, folder, ...writes })).table, { columns: 'unchanged', rows: [] })
  t.strictSame((await upgradeMigrations({ database, folder, ...back })).table, { columns: 'unchanged', rows: [] })
  t.strictSame((await client.query('select to_regclass($1) as found', [table])).rows, [{ found: null }])
})

t.test('a table of another name is upgraded, and rows that record a migration twice get its name', async (t) => {
  const { client, tables, ...built } = await build(t, [first])
  const options = { ...built, table: 'noted' }
  await runMigrations(options)
  await client.query('insert into drizzle.noted (hash, created_at) select hash, created_at from drizzle.noted')
  await upgradeMigrations({ ...options, ...writes })
  t.strictSame((await client.query('select name from drizzle.noted')).rows, [{ name: names[0] }, { name: names[0] }])
  await upgradeMigrations({ ...options, ...back })
  t.strictSame(Object.keys((await client.query('select * from drizzle.noted')).rows[0]), ['id', 'hash', 'created_at'])
})

t.test('a folder of drizzle-kit 1.0 gives its names to a table of 0.31, and has no way back', async (t) => {
  const { client, tables, ...options } = await build(t, [first, second])
  await runMigrations(options)
  rewrite(options.folder, 'folders', [first, second])
  t.strictSame(await upgradeMigrations({ ...options, ...writes }), {
    written: true, files: [], table: { columns: 'added', rows: [{ tag: names[0], name: names[0] }, { tag: names[1], name: names[1] }] }
  })
  t.strictSame((await client.query(rowsOf)).rows.map(({ name, applied_at: at }) => [name, at]), [[names[0], null], [names[1], null]])
  await t.rejects(upgradeMigrations({ ...options, ...back }), { code: 'DB_MIGRATION_NO_DOWN' })
})

t.test('an edited file, and a migration that the folder lacks, refuse the upgrade before anything is changed', async (t) => {
  const { client, tables, ...options } = await build(t, [first, second])
  await runMigrations(options)
  writeFileSync(join(options.folder, `${second.tag}.sql`), 'edited')
  await t.rejects(upgradeMigrations({ ...options, ...writes }), { code: 'DB_MIGRATION_EDITED', message: /^0001_posts\.sql was edited/ })
  rewrite(options.folder, 'journal', [first])
  await t.rejects(upgradeMigrations({ ...options, ...writes }), { code: 'DB_MIGRATION_MISSING', message: /does not have/ })
  t.notOk(filesOf(options.folder)[`${names[0]}/migration.sql`])
  t.strictSame(Object.keys((await client.query(rowsOf)).rows[0]), ['id', 'hash', 'created_at'])
})

t.test('waits for a runner, and changes nothing while one works', async (t) => {
  const { client, tables, ...options } = await build(t, [first])
  await withMigrationLock(options, () => t.rejects(upgradeMigrations({ ...options, ...writes, lockTimeoutSeconds: 0 }), { code: 'DB_MIGRATION_LOCKED' }))
  t.ok(filesOf(options.folder)['0000_users.sql'])
})

t.test('a role that does not own the table changes neither table nor folder', async (t) => {
  const { client, tables, ...options } = await build(t, [first])
  await runMigrations(options)
  await client.query(`create role upgrade_guest; grant usage on schema drizzle to upgrade_guest; grant all on ${table} to upgrade_guest`)
  t.after(() => client.query('drop owned by upgrade_guest; drop role upgrade_guest'))
  const guest = { ...options, connectionString: `${options.connectionString}?options=-c%20role%3Dupgrade_guest` }
  await t.rejects(upgradeMigrations({ ...guest, ...writes }), { cause: { code: '42501' } })
  t.ok(filesOf(options.folder)['0000_users.sql'])
})

t.test('a folder that cannot be written leaves the table as it was', async (t) => {
  const { client, tables, ...options } = await build(t, [first])
  await runMigrations(options)
  writeFileSync(join(options.folder, 'meta/_journal.json.lock'), '')
  await t.rejects(upgradeMigrations({ ...options, ...writes }), { code: 'DB_MIGRATION_LOCKED' })
  t.strictSame(Object.keys((await client.query(rowsOf)).rows[0]), ['id', 'hash', 'created_at'])
})

for (const [title, connected] of [['the upgrade of its database', true], ['the next run alone', false]] as const) {
  t.test(`a file that stopped halfway is finished in the new layout after ${title}, and back in the old one`, async (t) => {
    const { client, tables, ...options } = await build(t, [first, halfway, third])
    const change = { ...options, ...!connected && { connectionString: '' } }
    await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_FAILED' })
    const upgrade = await upgradeMigrations({ ...change, ...writes })
    t.equal(upgrade.table?.unfinished, connected ? names[1] : undefined)
    t.equal(upgradeText(upgrade, false).includes('the unfinished file is 20231114221321_posts'), connected)
    t.match((await checkMigrations(options)).problems, [{ kind: 'unfinished', tag: names[1], message: /_posts\/migration\.sql stopped after 1 / }, {}, {}])
    await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_FAILED' })
    await upgradeMigrations({ ...change, ...back })
    t.match((await checkMigrations(options)).problems, [{ kind: 'unfinished', tag: halfway.tag, message: /^0001_posts\.sql stopped after 1 / }, {}, {}])

    await upgradeMigrations({ ...change, ...writes })
    await client.query('create table drafts (id int)')
    t.strictSame(tags((await runMigrations(options)).applied), names.slice(1))
    t.strictSame(await checkMigrations(options), { ok: true, problems: [] })
    await client.query('drop table drafts')
    await t.rejects(rollbackMigrations({ ...options, steps: 2 }), { code: 'DB_MIGRATION_FAILED' })
    await upgradeMigrations({ ...change, ...back })
    await client.query('create table drafts (id int)')
    t.strictSame(tags((await rollbackMigrations(options)).rolledBack), [halfway.tag])
  })
}

t.test('two migrations with the same words are told apart if one stopped halfway, or the run is refused by the recorded tag', async (t) => {
  const twins = [{ ...first, tag: '0000_posts' }, halfway]
  const { client, tables, ...options } = await build(t, twins)
  await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_FAILED' })
  await upgradeMigrations({ ...options, connectionString: '', ...writes })
  await t.rejects(runMigrations(options), { code: 'DB_MIGRATION_FAILED', message: /0001_posts/ })
  await upgradeMigrations({ ...options, ...writes })
  await client.query('create table drafts (id int)')
  t.strictSame(tags((await runMigrations(options)).applied), ['20231114221321_posts'])
})

t.test('migrations of one second are named by their hashes, whatever upgrades the table', async (t) => {
  const twins = [{ ...first, tag: '0000_b' }, { ...second, tag: '0001_a', when: first.when + 1 }]
  for (const by of ['this package', 'drizzle']) {
    const { client, tables, ...options } = await build(t, twins)
    await runMigrations(options)
    await upgradeMigrations({ ...options, connectionString: '', ...writes })
    if (by === 'drizzle') await migrateByDrizzle(options.connectionString, options.folder, 'folders')
    t.strictSame((await runMigrations(options)).applied, [])
    t.strictSame((await client.query(`select name from ${table} order by id`)).rows.map(({ name }) => name), ['20231114221320_0000_b', '20231114221320_0001_a'])
  }
})

t.test('a server of the old folder goes on beside the new one, on a table of 1.0', async (t) => {
  const { client, tables, ...options } = await build(t, [first, second])
  const old = { ...options, folder: mkdtempSync(`${options.folder}-old-`) }
  t.after(() => rmSync(old.folder, { recursive: true }))
  rewrite(old.folder, 'journal', [first, second])
  await runMigrations(old)
  await upgradeMigrations({ ...options, ...writes })

  t.strictSame(await checkMigrations(old), { ok: true, problems: [] })
  await migrateByDrizzle(old.connectionString, old.folder, 'journal')
  rewrite(old.folder, 'journal', [first, second, third])
  await migrateByDrizzle(old.connectionString, old.folder, 'journal')
  rewrite(options.folder, 'folders', [first, second, third])
  t.strictSame((await runMigrations(options)).applied, [])
  await migrateByDrizzle(options.connectionString, options.folder, 'folders')
  t.strictSame((await client.query(`select name from ${table} order by id`)).rows.map(({ name }) => name), names)
})
