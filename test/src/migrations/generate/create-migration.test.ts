import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sql } from 'drizzle-orm'
import { boolean, index, integer, jsonb, pgEnum, pgTable, text, varchar } from 'drizzle-orm/pg-core'
import t from 'tap'
import { loadDrizzleKit } from '../../../../src/migrations/generate/kit/kit-031/drizzle-kit.js'
import { writeMigration } from '../../../../src/migrations/generate/kit/kit-031/write-migration.js'
import { createMigration } from '../../../../src/migrations/index.js'
import { projectRoot } from '../../../house/source-files.js'

const users = pgTable('users', { id: integer().primaryKey().generatedAlwaysAsIdentity(), name: text().notNull() })
const named = { users: pgTable('users', { id: integer().primaryKey().generatedAlwaysAsIdentity(), fullName: text().notNull() }) }

const read = (folder: string, name: string) => readFileSync(join(folder, name), 'utf8')
const journalOf = (folder: string) => JSON.parse(read(folder, 'meta/_journal.json')) as {
  entries: Array<{ idx: number, when: number, tag: string, breakpoints: boolean }>
}

/** Runs drizzle-kit generate in a folder of the test, with the model of a file `schema.ts`. */
async function generate (folder: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(
      projectRoot,
      'node_modules/drizzle-kit/bin.cjs'
    ), 'generate', '--dialect', 'postgresql', '--schema', './schema.ts', '--out', './drizzle', '--casing', 'snake_case', '--name', 'theirs'
  ], { cwd: folder })
  return stdout
}

t.test('writes what drizzle-kit generate writes, and each finds nothing to do after the other', async (t) => {
  const posts = pgTable('posts', { id: integer().primaryKey(), authorId: integer().references(() => users.id) }, (self) => [index().on(self.authorId)])
  const folder = t.testdir({
    'schema.ts': `import { index, integer, pgTable, text } from 'drizzle-orm/pg-core'
    export const users = pgTable('users', { id: integer().primaryKey().generatedAlwaysAsIdentity(), name: text().notNull() })
    export const posts = pgTable('posts', { id: integer().primaryKey(), authorId: integer().references(() => users.id) }, (self) => [index().on(self.authorId)])`
  })
  const ours = { folder, drizzle: join(folder, 'drizzle') }
  // By name, the order of a module's exports.
  const schema = { posts, users }
  await createMigration({ message: 'theirs', schema, folder: ours.drizzle, casing: 'snake_case' })

  t.match(await generate(ours.folder), /nothing to migrate/)
  t.equal(journalOf(ours.drizzle).entries.length, 1)

  const sqlOfOurs = read(ours.drizzle, '0000_theirs.sql')
  const { id, prevId, ...snapshotOfOurs } = JSON.parse(read(ours.drizzle, 'meta/0000_snapshot.json'))
  rmSync(ours.drizzle, { recursive: true })
  await generate(ours.folder)
  const { id: theirId, prevId: theirPrevId, ...snapshotOfTheirs } = JSON.parse(read(ours.drizzle, 'meta/0000_snapshot.json'))

  t.equal(sqlOfOurs, read(ours.drizzle, '0000_theirs.sql'))
  t.equal(JSON.stringify(snapshotOfOurs), JSON.stringify(snapshotOfTheirs))
  t.equal(prevId, theirPrevId)
  t.not(id, theirId)
  t.strictSame(await createMigration({ message: 'again', schema, folder: ours.drizzle, casing: 'snake_case' }), {})
})

t.test('writes the way back beside the migration', async (t) => {
  const folder = t.testdir()
  const { created } = await createMigration({ message: 'Add users', schema: { users }, folder })

  t.strictSame(created, { tag: '0000_add_users', irreversible: [], blocking: [] })
  t.match(read(folder, '0000_add_users.sql'), 'CREATE TABLE "users"')
  t.equal(read(folder, '0000_add_users.down.sql'), '-- Drops the rows of users, which the migration added.\nDROP TABLE "users" CASCADE;\n')
  t.strictSame(journalOf(folder).entries.map(({ idx, tag, breakpoints }) => ({ idx, tag, breakpoints })), [
    { idx: 0, tag: '0000_add_users', breakpoints: true }
  ])
})

t.test('reports that there is nothing to do, and writes nothing', async (t) => {
  const folder = t.testdir()
  await createMigration({ message: 'Add users', schema: { users }, folder })
  const files = readdirSync(folder, { recursive: true })

  t.strictSame(await createMigration({ message: 'Again', schema: { users, again: users }, folder }), {})
  t.strictSame(readdirSync(folder, { recursive: true }), files)
})

t.test('lists what the way back cannot restore', async (t) => {
  const folder = t.testdir()
  const mood = pgEnum('mood', ['calm'])
  const before = {
    mood,
    posts: pgTable('posts', { id: integer() }),
    users: pgTable('users', { id: integer(), name: text(), age: text(), rank: integer(), mood: mood(), name2: text().generatedAlwaysAs(sql`name`) })
  }
  const after = { mood, users: pgTable('users', { id: integer(), age: integer(), rank: text(), mood: text() }) }
  await createMigration({ message: 'first', schema: before, folder })
  const { created } = await createMigration({ message: 'second', schema: after, folder, renames: {} })

  t.strictSame(created?.irreversible, [
    'the rows of posts', 'the values of users.name',
    'what the values of users.age were as text, before they became integer', 'what the values of users.rank were as integer, before they became text'
  ])
  t.strictSame(
    read(folder, '0001_second.down.sql').match(/^-- data-access: irreversible .*$/gm),
    created?.irreversible.map((what) => `-- data-access: irreversible ${what}`)
  )
})

t.test('leaves handwritten SQL to its author, and lists its way back as unknown', async (t) => {
  const folder = t.testdir()
  await createMigration({ message: 'Add users', schema: { users }, folder })
  const { created } = await createMigration({ message: 'Fill in', autogenerate: false, folder })

  t.match(created, { tag: '0001_fill_in', irreversible: [/handwritten SQL/] })
  t.equal(read(folder, '0001_fill_in.sql'), '-- Custom SQL migration file, put your code below! --')
  t.match(read(folder, '0001_fill_in.down.sql'), /^-- data-access: irreversible the effects of handwritten SQL/)
  const [first, second] = ['0000', '0001'].map((prefix) => JSON.parse(read(folder, `meta/${prefix}_snapshot.json`)))
  t.strictSame({ ...second, id: first.id, prevId: first.prevId }, first)
  t.equal(second.prevId, first.id)
  t.strictSame(await createMigration({ message: 'Again', schema: { users }, folder }), {})
})

t.test('an index built concurrently gets a non-transactional file', async (t) => {
  const folder = t.testdir()
  await createMigration({ message: 'users', schema: { users }, folder })
  await createMigration({
    message: 'index',
    schema: {
      users: pgTable(
        'users',
        { id: integer().primaryKey().generatedAlwaysAsIdentity(), name: text().notNull() },
        (self) => [index('by_name').on(self.name).concurrently()]
      )
    },
    folder
  })

  t.match(read(folder, '0001_index.sql'), /^-- data-access: no-transaction\nCREATE INDEX CONCURRENTLY "by_name"/)
  t.equal(read(folder, '0001_index.down.sql'), 'DROP INDEX "by_name";\n')
})

t.test('separates statements as drizzle-kit\'s breakpoints option says', async (t) => {
  const folder = t.testdir()
  await createMigration({ message: 'two', schema: { users, posts: pgTable('posts', { id: integer() }) }, folder, breakpoints: false })

  t.notMatch(read(folder, '0000_two.sql'), 'statement-breakpoint')
  t.equal(journalOf(folder).entries[0]?.breakpoints, false)
})

t.test('numbers files as drizzle-kit does', async (t) => {
  const root = t.testdir({})
  for (const [prefix, pattern] of [['timestamp', /^\d{14}_x$/], ['supabase', /^\d{14}_x$/], ['unix', /^\d{10}_x$/]] as const) {
    const { created } = await createMigration({ message: 'x', schema: { users }, folder: join(root, prefix), prefix })
    t.match(created?.tag, pattern)
  }
  await t.rejects(
    createMigration({ message: 'x', schema: { users }, folder: join(root, 'none'), prefix: 'none' }),
    { code: 'DB_MIGRATION_FAILED', message: /numbered by none/ }
  )
  t.notOk(existsSync(join(root, 'none')))
})

t.test('a migration is newer than the one before, even if the clock is behind', async (t) => {
  const folder = t.testdir()
  await createMigration({ message: 'first', schema: { users }, folder })
  const journal = journalOf(folder)
  const tomorrow = Date.now() + 86_400_000
  writeFileSync(join(folder, 'meta/_journal.json'), JSON.stringify({ ...journal, entries: [{ ...journal.entries[0], when: tomorrow }] }))
  await createMigration({ message: 'second', autogenerate: false, folder })

  t.equal(journalOf(folder).entries[1]?.when, tomorrow + 1)
})

t.test('needs a message that can name a file', async (t) => {
  const folder = t.testdir()
  await t.rejects(createMigration({ message: ' … ', schema: { users }, folder }), /needs a message/)
  t.match((await createMigration({ message: 'Öffne Ünïcode!', schema: { users }, folder })).created?.tag, '0000_offne_unicode')
})

t.test('needs a model that drizzle-kit accepts', async (t) => {
  const folder = t.testdir()
  await t.rejects(createMigration({ message: 'x', folder }), { code: 'DB_MIGRATION_FAILED', message: /no model/ })
  const twice = pgTable('twice', { id: integer().unique('same'), other: integer().unique('same') })
  await t.rejects(createMigration({ message: 'x', schema: { twice }, folder }), {
    code: 'DB_MIGRATION_FAILED', message: /drizzle-kit refuses the model: .*duplicated unique constraint names/
  })
  t.strictSame(readdirSync(folder), [])
})

t.test('if two are created at once, one is written, and the other is refused with the reason', async (t) => {
  const folder = t.testdir()
  const both = await Promise.allSettled(['one', 'two'].map((message) => createMigration({ message, schema: { users }, folder })))

  t.strictSame(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  t.match(both.find(({ status }) => status === 'rejected'), { reason: { code: 'DB_MIGRATION_LOCKED', message: /Another (process|migration)/ } })
  const [entry] = journalOf(folder).entries
  t.strictSame(readdirSync(folder).sort(), [`${entry?.tag}.down.sql`, `${entry?.tag}.sql`, 'meta'])
  t.strictSame(readdirSync(join(folder, 'meta')).sort(), ['0000_snapshot.json', '_journal.json'])
})

t.test('writes nothing if another migration was written meanwhile', async (t) => {
  const folder = t.testdir()
  const former = { version: '7', dialect: 'postgresql', entries: [] }
  await createMigration({ message: 'first', schema: { users }, folder })

  await t.rejects(writeMigration(folder, { former, journal: former, files: { 'x.sql': '' } }), {
    code: 'DB_MIGRATION_LOCKED', message: /Another migration was written/
  })
  t.strictSame(readdirSync(folder).sort(), ['0000_first.down.sql', '0000_first.sql', 'meta'])
  t.notOk(existsSync(join(folder, 'meta/_journal.json.lock')))
})

t.test('says what to install if drizzle-kit is missing', async (t) => {
  await t.rejects(loadDrizzleKit('drizzle-kit/nothing'), { code: 'DB_MIGRATION_FAILED', message: /npm install --save-dev drizzle-kit/ })
})

t.test('a longer text type loses nothing, and a shorter one may', async (t) => {
  const folder = t.testdir()
  const wide = (name: string, length: number) => ({ t: pgTable('t', { [name]: varchar({ length }), other: text() }) })
  await createMigration({ message: 'first', schema: wide('a', 10), folder })
  t.strictSame((await createMigration({ message: 'longer', schema: wide('a', 20), folder })).created?.irreversible, [])
  t.match(
    (await createMigration({ message: 'shorter', schema: wide('a', 5), folder })).created?.irreversible,
    ['what the values of t.a were as varchar(20), before they became varchar(5)']
  )
})

t.test('uses PostgreSQL\'s casts, and converts by way of text otherwise', async (t) => {
  const folder = t.testdir()
  await createMigration({ message: 'first', schema: { t: pgTable('t', { a: boolean(), b: jsonb(), c: jsonb(), d: integer(), e: integer() }) }, folder })
  await createMigration({ message: 'second', schema: { t: pgTable('t', { a: integer(), b: boolean(), c: integer(), d: boolean(), e: jsonb() }) }, folder })

  const changes = read(folder, '0001_second.sql').match(/USING .*?;/g)
  t.strictSame(changes, ['USING "a"::integer;', 'USING "b"::boolean;', 'USING "c"::integer;', 'USING "d"::boolean;', 'USING "e"::text::jsonb;'])
})

t.test('names a lock file that was left behind', async (t) => {
  const folder = t.testdir({ meta: { '_journal.json.lock': '' } })

  await t.rejects(createMigration({ message: 'x', schema: { users }, folder }), { code: 'DB_MIGRATION_LOCKED', message: /remove .*_journal\.json\.lock/ })
})

t.test('leaves nothing behind if a file already exists', async (t) => {
  const folder = t.testdir({ '0000_x.down.sql': 'mine' })

  await t.rejects(createMigration({ message: 'x', schema: { users }, folder }), { code: 'DB_MIGRATION_FAILED', message: /0000_x\.down\.sql already exists/ })
  t.strictSame(readdirSync(folder, { recursive: true }).sort(), ['0000_x.down.sql', 'meta'])
  t.equal(read(folder, '0000_x.down.sql'), 'mine')
})

t.test('refuses folders whose newest snapshot is unknown', async (t) => {
  const create = (folder: string) => createMigration({ message: 'x', schema: { users }, folder })
  const journal = JSON.stringify({ version: '7', dialect: 'postgresql', entries: [{ idx: 0, version: '7', when: 1, tag: '0000_x', breakpoints: true }] })

  await t.rejects(create(t.testdir({ meta: { '_journal.json': '{' } })), { code: 'DB_MIGRATION_MISSING', message: /_journal\.json is not a journal/ })
  await t.rejects(create(t.testdir({ meta: { '0000_snapshot.json': '{}' } })), { code: 'DB_MIGRATION_MISSING', message: /belongs to no migration/ })
  await t.rejects(create(t.testdir({ meta: { '_journal.json': journal, '0000_snapshot.json': '{' } })), {
    code: 'DB_MIGRATION_MISSING', message: /0000_snapshot\.json is missing, or is not JSON/
  })
  await t.rejects(
    create(t.testdir({ meta: { '_journal.json': journal, '0000_snapshot.json': '{"version":"5"}' } })),
    { code: 'DB_MIGRATION_MISSING', message: /0000_snapshot\.json has no tables/ }
  )
  await t.rejects(
    create(t.testdir({ meta: { '_journal.json': journal, '0000_snapshot.json': '{"version":"8"}' } })),
    { code: 'DB_MIGRATION_MISSING', message: /0000_snapshot\.json has the version 8/ }
  )
})

t.test('refuses a folder in the layout of drizzle-kit 1.0, with the ways out', async (t) => {
  const folder = t.testdir({ '20260101000000_x': { 'migration.sql': '', 'snapshot.json': '{}' } })
  await t.rejects(createMigration({ message: 'x', schema: { users }, folder }), {
    code: 'DB_MIGRATION_FAILED', message: /layout of drizzle-kit 1\.0, as 20260101000000_x, but Drizzle 0\.45 is installed.*data-access migrate upgrade/
  })
})

t.test('neither asks nor guesses without a terminal', async (t) => {
  const folder = t.testdir()
  await createMigration({ message: 'first', schema: { users }, folder })

  await t.rejects(createMigration({ message: 'second', schema: named, folder }), {
    code: 'DB_MIGRATION_AMBIGUOUS', message: /The column users\.fullName is new and users\.name is gone.*--rename users\.name=users\.fullName.*--no-renames/
  })
  t.equal(journalOf(folder).entries.length, 1)
})
