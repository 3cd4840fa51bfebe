import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { getMigrationHistory, rollbackMigrations, runMigrations } from '../../../src/migrations/index.js'
import { posts, users, writeFolder } from './folder.js'
import { build, catalogue, tags } from './setup.js'
import type { MigrationProgress } from '../../../src/migrations/index.js'

const likes = { tag: '0002_likes', when: 1_700_000_002_000, sql: 'create table likes (id int)', down: 'drop table likes' }
const all = [{ ...users, down: 'drop table users' }, { ...posts, down: '-- back\ndrop table posts;\n--> statement-breakpoint\nselect 1' }, likes]

t.test('undoes the newest migration, together with the row that records it', async (t) => {
  const { tables, ...options } = await build(t, all)
  await runMigrations(options)

  t.strictSame(tags((await rollbackMigrations(options)).rolledBack), ['0002_likes'])
  t.strictSame(await tables(), ['posts', 'users'])
  t.strictSame(tags(await getMigrationHistory(options)), ['0000_users', '0001_posts'])
  t.strictSame(tags((await runMigrations(options)).applied), ['0002_likes'], 'and it can be applied again')
})

t.test('undoes several, newest first, and reports each statement', async (t) => {
  const { tables, ...options } = await build(t, all)
  await runMigrations(options)
  const heard: MigrationProgress[] = []

  t.strictSame(
    tags((await rollbackMigrations({ ...options, steps: 2, onProgress: (progress) => heard.push(progress) })).rolledBack),
    ['0002_likes', '0001_posts']
  )
  t.strictSame(heard.map(({ direction, tag, statement, total }) => [direction, tag, statement, total]), [
    ['down', '0002_likes', 1, 1], ['down', '0001_posts', 1, 2], ['down', '0001_posts', 2, 2]
  ])
  t.strictSame(await tables(), ['users'])
})

t.test('rolls back to a tag, or to nothing', async (t) => {
  const { tables, ...options } = await build(t, all)
  await runMigrations(options)

  t.strictSame(tags((await rollbackMigrations({ ...options, to: '0002_likes' })).rolledBack), [], 'the database is already there')
  t.strictSame(tags((await rollbackMigrations({ ...options, to: '0000_users' })).rolledBack), ['0002_likes', '0001_posts'])
  t.strictSame(tags((await rollbackMigrations({ ...options, to: 'nothing' })).rolledBack), ['0000_users'])
  t.strictSame(await tables(), [])
  t.strictSame((await rollbackMigrations(options)).rolledBack, [], 'with nothing left there is nothing to undo')
})

t.test('undoes all if there are fewer than requested', async (t) => {
  const { tables, ...options } = await build(t, all)
  await runMigrations(options)

  t.equal((await rollbackMigrations({ ...options, steps: 5 })).rolledBack.length, 3)
})

t.test('a dry run reports what would be undone, and changes nothing', async (t) => {
  const { client, tables, ...options } = await build(t, all)
  await runMigrations(options)
  const before = await catalogue(client)

  t.strictSame(tags((await rollbackMigrations({ ...options, steps: 2, dryRun: true })).rolledBack), ['0002_likes', '0001_posts'])
  t.strictSame(await catalogue(client), before)
})

t.test('refuses an impossible rollback before it undoes anything', async (t) => {
  const { client, tables, ...options } = await build(t, all)
  await runMigrations(options)
  const before = await catalogue(client)
  const file = (name: string) => join(options.folder, name)
  const refuses = async (expected: { code: string, message: RegExp }) => {
    await t.rejects(rollbackMigrations({ ...options, steps: 2 }), expected)
    await t.rejects(rollbackMigrations({ ...options, to: '0000_users', dryRun: true }), expected)
    t.strictSame(await catalogue(client), before)
    writeFolder(options.folder, all)
  }

  rmSync(file('0001_posts.down.sql'))
  await refuses({ code: 'DB_MIGRATION_NO_DOWN', message: /^0001_posts\.down\.sql is not there/ })
  writeFileSync(file('0001_posts.sql'), 'create table other (id int)')
  await refuses({ code: 'DB_MIGRATION_EDITED', message: /^0001_posts\.sql was edited/ })
  writeFolder(options.folder, [users, likes])
  await refuses({ code: 'DB_MIGRATION_MISSING', message: /generated 2023-11-14T22:13:21\.000Z/ })
  writeFileSync(file('0001_posts.down.sql'), 'drop table posts; commit')
  await refuses({ code: 'DB_MIGRATION_FAILED', message: /^0001_posts\.down\.sql, statement 1, COMMIT: a file is one transaction already/ })
})

t.test('an edited older migration does not block a rollback', async (t) => {
  const { tables, ...options } = await build(t, all)
  await runMigrations(options)
  writeFileSync(join(options.folder, '0000_users.sql'), 'edited')

  t.strictSame(tags((await rollbackMigrations(options)).rolledBack), ['0002_likes'])
})

t.test('a way back that loses something needs confirmation', async (t) => {
  const down = '-- data-access: irreversible the rows of likes\n-- data-access: irreversible their times\ndrop table likes'
  const { client, tables, ...options } = await build(t, [users, { ...likes, down }])
  await runMigrations(options)
  const before = await catalogue(client)

  await t.rejects(rollbackMigrations(options), {
    code: 'DB_MIGRATION_IRREVERSIBLE',
    message: /^0002_likes\.down\.sql cannot restore the rows of likes; 0002_likes\.down\.sql cannot restore their times: .*confirmIrreversible/
  })
  t.strictSame(await catalogue(client), before)
  t.strictSame(tags((await rollbackMigrations({ ...options, confirmIrreversible: true })).rolledBack), ['0002_likes'])
})

t.test('an empty down file is a way back with nothing to do', async (t) => {
  const { tables, ...options } = await build(t, [users, { ...posts, down: '-- the table may stay\n' }])
  await runMigrations(options)

  t.strictSame(tags((await rollbackMigrations(options)).rolledBack), ['0001_posts'])
  t.strictSame(await tables(), ['posts', 'users'])
  t.strictSame(tags(await getMigrationHistory(options)), ['0000_users'])
})

t.test('a down file that fails leaves its migration applied, and the earlier steps undone', async (t) => {
  const { tables, ...options } = await build(t, [users, { ...posts, down: 'drop table posts;\n--> statement-breakpoint\nselect 1 / 0' }, likes])
  await runMigrations(options)

  await t.rejects(rollbackMigrations({ ...options, steps: 2 }), {
    code: 'DB_MIGRATION_FAILED',
    message: /^0001_posts\.down\.sql failed at statement 2 of 2 and was rolled back as a whole; the files before it stay rolled back/,
    context: { sqlState: '22012' }
  })
  t.strictSame(await tables(), ['posts', 'users'])
  t.strictSame(tags(await getMigrationHistory(options)), ['0000_users', '0001_posts'])
})

t.test('refuses invalid steps, a tag that is not applied, and both at once', async (t) => {
  const { tables, ...options } = await build(t, all)
  await runMigrations({ ...options, to: '0001_posts' })

  for (const steps of [0, -1, 1.5, Number.NaN]) {
    await t.rejects(rollbackMigrations({ ...options, steps }), {
      name: 'UsageError', message: /^"steps" of rollbackMigrations\(\) must be a whole number from 1 on/
    })
  }
  await t.rejects(rollbackMigrations({ ...options, to: '0002_likes' }), { name: 'UsageError', message: /^0002_likes is not applied: runMigrations/ })
  await t.rejects(rollbackMigrations({ ...options, to: 'none' }), { name: 'UsageError', message: /^There is no migration none in / })
  await t.rejects(rollbackMigrations({ ...options, to: '0000_users', steps: 1 }), { name: 'UsageError', message: /^steps and to exclude each other/ })
  t.strictSame(await tables(), ['posts', 'users'])
})
