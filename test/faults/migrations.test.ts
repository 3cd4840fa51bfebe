import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import { Pool } from 'pg'
import t from 'tap'
import { getMigrationHistory, getPendingMigrations, rollbackMigrations, runMigrations } from '../../src/migrations/index.js'
import { drizzleKit } from '../helpers/drizzle.js'
import { first, second, third } from '../src/migrations/history.js'
import { writeFolder } from '../src/migrations/folder.js'
import { installedLayout, rewrite, tagsIn } from '../src/migrations/layouts.js'
import { build, catalogue, catalogueWithout, tags } from '../src/migrations/setup.js'

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
      const { connectionString, folder, client } = await build(t, [])
      rewrite(folder, installedLayout, history.slice(0, point))
      const pool = new Pool({ connectionString })
      const ours = async () => (await runMigrations({ connectionString, folder })).applied.length
      const theirs = async () => {
        const count = async () => (await client.query("select to_regclass('drizzle.__drizzle_migrations') as name")).rows[0].name ===
          null
          ? 0
          : (await client.query('select from drizzle.__drizzle_migrations')).rowCount
        const before = Number(await count())
        await migrate(drizzle({ client: pool }), { migrationsFolder: folder })
        return Number(await count()) - before
      }
      const [one, other] = oursFirst ? [ours, theirs] : [theirs, ours]

      t.strictSame([await one(), await other()], [point, 0])
      rewrite(folder, installedLayout, history)
      t.strictSame([await other(), await one()], [history.length - point, 0])
      const done = await catalogueWithout(client)

      const { rolledBack } = await rollbackMigrations({ connectionString, folder, steps: point, confirmIrreversible: true })
      t.strictSame(tags(rolledBack), tagsIn(installedLayout, history.slice(-point)).reverse())
      t.strictSame([await one(), await other()], [point, 0], 'also after the way back')
      t.strictSame(await catalogueWithout(client), done)
      await pool.end()
    }
  }
})

t.test('drizzle-kit migrate and ours find nothing to do after each other, also after a rollback', async (t) => {
  const { connectionString, folder, client } = await build(t, [])
  rewrite(folder, installedLayout, [first])
  const kit = async () => {
    const config = join(folder, 'drizzle.config.js')
    writeFileSync(config, `export default ${JSON.stringify({ dialect: 'postgresql', out: folder, dbCredentials: { url: connectionString } })}`)
    const child = spawn(process.execPath, [drizzleKit, 'migrate', '--config', config], {
      stdio: ['ignore', 'pipe', 'pipe'], cwd: fileURLToPath(new URL('../..', import.meta.url))
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text })
    const [code] = await once(child, 'close')
    t.equal(code, 0, output)
  }

  await kit()
  t.strictSame((await runMigrations({ connectionString, folder })).applied, [])
  rewrite(folder, installedLayout, [first, second])
  await runMigrations({ connectionString, folder })
  await rollbackMigrations({ connectionString, folder })
  await kit()
  const done = await catalogue(client)
  t.strictSame((await runMigrations({ connectionString, folder })).applied, [])
  t.strictSame(await catalogue(client), done)
  t.strictSame(tags(await getMigrationHistory({ connectionString, folder })), tagsIn(installedLayout, [first, second]))
})
