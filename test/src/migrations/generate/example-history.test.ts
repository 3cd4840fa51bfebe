import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import t from 'tap'
import { checkMigrations, getCurrentMigration, rollbackMigrations, runMigrations } from '../../../../src/migrations/index.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { role, posts, users } from '../../../../examples/migrations/schema.js'
import { projectRoot } from '../../../house/source-files.js'
import { migrateByDrizzle } from '../drizzle-migrators.js'
import { readCatalogue } from '../../../model-based/migrations/catalogue.js'

const folder = join(projectRoot, 'examples/migrations/drizzle')

t.test('a history up, down step by step, and up again has the same catalogues and keeps its rows', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const client = new Client({ connectionString })
  await client.connect()
  t.after(() => client.end())
  const options = { connectionString, folder }
  const { applied } = await runMigrations({ ...options, dryRun: true })
  const catalogues = [await readCatalogue(client)]
  for (const { tag } of applied) {
    await runMigrations({ ...options, to: tag })
    catalogues.push(await readCatalogue(client))
    if (tag === '0000_users') await client.query("insert into users (email, name, note) values ('ada@example.com', 'Ada Lovelace', 'first')")
  }
  t.strictSame((await client.query('select email, full_name, nickname, role, initials(full_name) from users')).rows, [
    { email: 'ada@example.com', full_name: 'Ada Lovelace', nickname: 'Ada', role: 'reader', initials: 'AL' }
  ])
  t.match(await checkMigrations({ ...options, schema: { role, posts, users }, casing: 'snake_case' }), { ok: true })

  await t.rejects(rollbackMigrations(options), { code: 'DB_MIGRATION_IRREVERSIBLE', message: /the values of users\.note/ })
  for (let index = applied.length - 1; index > 0; index--) {
    await rollbackMigrations({ ...options, confirmIrreversible: true })
    t.strictSame(await readCatalogue(client), catalogues[index], `before ${applied[index]?.tag}`)
  }
  t.strictSame((await client.query('select email, name, note, role from users')).rows, [
    { email: 'ada@example.com', name: 'Ada Lovelace', note: null, role: 'reader' }
  ])

  await runMigrations(options)
  t.strictSame(await readCatalogue(client), catalogues.at(-1))
  await rollbackMigrations({ ...options, to: 'nothing', confirmIrreversible: true })
  t.strictSame((await readCatalogue(client))['columns'], [])
})

t.test('drizzle-orm\'s migrator and ours find nothing to do after each other, in the example\'s history', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const client = new Client({ connectionString })
  await client.connect()
  t.after(() => client.end())
  const part = t.testdir({})
  cpSync(folder, part, { recursive: true })
  const journalFile = join(part, 'meta', '_journal.json')
  const journal: { entries: Array<{ tag: string }> } = JSON.parse(readFileSync(journalFile, 'utf8'))
  const options = { connectionString, folder: part }
  const drizzlesOwn = () => migrateByDrizzle(connectionString, part, 'journal')

  for (const [index, { tag }] of journal.entries.entries()) {
    writeFileSync(journalFile, JSON.stringify({ ...journal, entries: journal.entries.slice(0, index + 1) }))
    await runMigrations(options)
    const done = await readCatalogue(client)
    await drizzlesOwn()
    t.strictSame(await readCatalogue(client), done, `${tag}, ours first`)

    // drizzle-orm's migrator cannot run a non-transactional file.
    if (readFileSync(join(part, `${tag}.sql`), 'utf8').includes('no-transaction')) continue
    await rollbackMigrations({ ...options, confirmIrreversible: true })
    await drizzlesOwn()
    t.strictSame((await runMigrations(options)).applied, [])
    t.strictSame(await readCatalogue(client), done, `${tag}, ours behind`)
    t.equal((await getCurrentMigration(options))?.tag, tag)
  }
})

t.test('removing an enum value fails while a row has it, and loses nothing', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const client = new Client({ connectionString })
  await client.connect()
  t.after(() => client.end())
  await runMigrations({ connectionString, folder, to: '0005_editors' })
  await client.query("insert into users (email, full_name, nickname, role) values ('ada@example.com', 'Ada', 'Ada', 'editor')")

  await t.rejects(rollbackMigrations({ connectionString, folder }), { code: 'DB_MIGRATION_FAILED', cause: { code: '22P02' } })
  t.strictSame((await client.query('select role from users')).rows, [{ role: 'editor' }])
})

t.test('reports a model that differs from its migrations', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  await runMigrations({ connectionString, folder })

  const { ok, problems } = await checkMigrations({ connectionString, folder, schema: { role, users }, casing: 'snake_case' })
  t.equal(ok, false)
  t.match(problems, [{ kind: 'model', message: /data-access migrate create/ }])
  t.strictSame((await checkMigrations({ connectionString, folder })).problems, [])
})
