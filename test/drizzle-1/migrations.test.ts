import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { eq, sql } from 'drizzle-orm'
import { check, index, integer, pgEnum, pgMaterializedView, pgPolicy, pgRole, pgSchema, pgSequence, pgTable, pgView, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { kit1 } from '../../src/migrations/generate/kit/kit-1/kit-1.js'
import { refusal } from '../../src/migrations/generate/kit/kit-1/refusal.js'
import { withoutExit } from '../../src/migrations/generate/kit/kit-1/without-exit.js'
import { emptySnapshot } from '../../src/migrations/generate/snapshots/snapshot.js'
import { loadApi, loadCli } from '../../src/migrations/generate/kit/kit-1/drizzle-kit.js'
import { writeMigration } from '../../src/migrations/generate/kit/kit-1/write-migration.js'
import { checkMigrations, createMigration, rollbackMigrations, runMigrations, writeDownFiles } from '../../src/migrations/index.js'
import { buildGenerated, filesOf, textsOf } from '../src/migrations/generate/generated-folder.js'
import { readCatalogue } from '../model-based/migrations/catalogue.js'
import { open, roundTrip } from '../src/migrations/generate/round-trip.js'

const users = pgTable('users', { id: integer().primaryKey().generatedAlwaysAsIdentity(), name: text().notNull() })
const named = { users: pgTable('users', { id: integer().primaryKey().generatedAlwaysAsIdentity(), fullName: text('full_name').notNull() }) }
const usersWith = (...columns: string[]) => ({
  users: pgTable('users', {
    id: integer().primaryKey().generatedAlwaysAsIdentity(), name: text().notNull(), ...Object.fromEntries(columns.map((column) => [column, text()]))
  })
})

const read = (folder: string, tag: string, file: string) => readFileSync(join(folder, tag, file), 'utf8')
const snapshotOf = (folder: string, tag: string) => JSON.parse(read(folder, tag, 'snapshot.json')) as { id: string, prevIds: string[], type: string }

/** Runs drizzle-kit generate with the model of a file; returns the tag, or the status if there is none. */
async function generate (folder: string, schema: string, name: string): Promise<string> {
  const response = await (await loadCli()).generate({ dialect: 'postgresql', schema, out: folder, name, hints: [] })
  return response.status === 'ok' ? response.migration_path.split('/').at(-2)! : response.status
}

t.test('writes what drizzle-kit generate writes, and each finds nothing to do after the other', async (t) => {
  const first = `import { index, integer, pgTable, text } from 'drizzle-orm/pg-core'
    export const users = pgTable('users', { id: integer().primaryKey().generatedAlwaysAsIdentity(), name: text().notNull() })`
  const posts = 'export const posts = pgTable(\'posts\', { id: integer().primaryKey(), author: integer().references(() => users.id) }, (self) => [index().on(self.author)])'
  const files = t.testdir({ 'first.mjs': first, 'second.mjs': `${first}\n${posts}` })
  const [ours, theirs] = [join(files, 'ours'), join(files, 'theirs')]
  for (const file of ['first', 'second']) {
    const schema: Record<string, unknown> = await import(join(files, `${file}.mjs`))
    const tag = await generate(theirs, join(files, `${file}.mjs`), file)
    const { created } = await createMigration({ message: file, schema, folder: ours })
    t.match(created?.tag, /^\d{14}_/)
    t.equal(read(ours, created!.tag, 'migration.sql'), read(theirs, tag, 'migration.sql'))
    const [{ id, prevIds, ...own }, { id: theirId, prevIds: theirPrevIds, ...other }] = [snapshotOf(ours, created!.tag), snapshotOf(theirs, tag)]
    t.strictSame(own, other)
    t.not(id, theirId)
    t.equal(await generate(ours, join(files, `${file}.mjs`), 'again'), 'no_changes')
    t.strictSame(await createMigration({ message: 'again', schema, folder: theirs }), {})
  }
  t.strictSame((await writeDownFiles({ folder: theirs })).written.map(({ irreversible }) => irreversible), [[], []])
  for (const [index, tag] of readdirSync(ours).entries()) t.equal(read(theirs, readdirSync(theirs)[index]!, 'down.sql'), read(ours, tag, 'down.sql'))
})

t.test('create, up, check and down work together', async (t) => {
  const folder = t.testdir()
  const { connectionString, client } = await open(t)
  const way = { connectionString, folder }
  const { created: first } = await createMigration({ message: 'Users', schema: { users, again: users }, folder })
  await runMigrations(way)
  await client.query("insert into users (name) values ('Ada')")
  await t.rejects(createMigration({ message: 'second', schema: named, folder }), {
    code: 'DB_MIGRATION_AMBIGUOUS', message: /The column users\.full_name is new and users\.name is gone.*--rename users\.name=users\.full_name.*--no-renames/
  })
  t.match(await checkMigrations({ ...way, schema: { users } }), { ok: true })
  t.match((await checkMigrations({ ...way, schema: named })).problems, [{ kind: 'model' }])
  const { created: second } = await createMigration({ message: 'second', schema: named, folder, renames: { 'users.name': 'users.full_name' } })
  t.equal(textsOf(folder, second!.tag).up, 'ALTER TABLE "users" RENAME COLUMN "name" TO "full_name";')
  t.strictSame(snapshotOf(folder, second!.tag).prevIds, [snapshotOf(folder, first!.tag).id])
  await runMigrations(way)
  t.strictSame((await client.query('select * from users')).rows, [{ id: 1, full_name: 'Ada' }])
  t.match(await checkMigrations({ ...way, schema: named }), { ok: true })
  await rollbackMigrations(way)
  t.strictSame((await client.query('select * from users')).rows, [{ id: 1, name: 'Ada' }])
})

t.test('everything that a model can have comes and goes', async (t) => {
  const app = pgSchema('app')
  const mood = app.enum('mood', ['calm', 'glad'])
  const feeling = pgEnum('feeling', ['calm', 'glad'])
  const model = (isLater: boolean) => {
    const boats = app.table('boats', { id: integer().primaryKey(), label: text().default('x'), mood: mood().array() }, (self) => [
      index(isLater ? 'by_label' : 'with_label').on(self.label).where(eq(self.label, 'a')), check('some', sql`${self.id} > ${isLater ? 1 : 0}`),
      pgPolicy('own', { using: isLater ? sql`true` : eq(self.label, 'x') })
    ])
    return {
      app,
      mood,
      boats,
      crew: pgTable('crew', { id: integer().primaryKey(), boat: integer().references(() => boats.id) }),
      ...isLater ? { feeling } : {},
      [isLater ? 'tally' : 'count']: pgSequence(isLater ? 'tally' : 'count', { startWith: 5, cache: 2 }),
      seen: pgView('seen', { id: integer() }).as(isLater ? sql`select id from app.boats` : sql`select id from app.boats where id > ${0}`),
      kept: pgMaterializedView('kept').as((q) => q.select({ id: boats.id }).from(boats).where(eq(boats.label, 'x'))),
      elsewhere: pgView('elsewhere', { id: integer() }).existing()
    }
  }
  await roundTrip(t, {
    from: model(false),
    to: model(true),
    fill: "insert into app.boats values (2, 'x', '{glad}'); insert into crew values (1, 2); select nextval('count')",
    kept: 'select boats.id, label, mood::text, crew.id as crew, last_value from app.boats join crew on boat = boats.id, count',
    options: { renames: { count: 'tally' } }
  })
})

t.test('renamed tables, enums and columns keep rows, up and down, and the names that Drizzle derived', async (t) => {
  const app = pgSchema('app')
  const model = (isLater: boolean) => {
    const mood = isLater ? app.enum('feeling', ['calm']) : pgEnum('mood', ['calm'])
    const table = (isLater ? app.table : pgTable) as typeof pgTable
    const people = table(isLater ? 'people' : 'users', { id: integer().primaryKey(), mail: text(isLater ? 'mail' : 'email').unique(), mood: mood() })
    const posts = pgTable('posts', { id: integer().primaryKey(), by: integer(isLater ? 'writer' : 'author').references(() => people.id) })
    return { app, mood, people, posts }
  }
  const folder = t.testdir()
  const { connectionString, client } = await open(t)
  const way = { connectionString, folder }
  await createMigration({ message: 'first', schema: model(false), folder })
  await runMigrations(way)
  await client.query("insert into users values (1, 'a', 'calm'); insert into posts values (1, 1)")
  const start = await readCatalogue(client)
  const { created } = await createMigration({
    message: 'second',
    schema: model(true),
    folder,
    renames: { users: 'app.people', 'app.people.email': 'app.people.mail', mood: 'app.feeling', 'posts.author': 'posts.writer' }
  })
  t.strictSame(created?.irreversible, [])
  await runMigrations(way)
  const { rows } = await client.query('select mail, mood::text, writer from app.people join posts on writer = people.id')
  t.strictSame(rows, [{ mail: 'a', mood: 'calm', writer: 1 }])
  t.match(await checkMigrations({ ...way, schema: model(true) }), { ok: true })
  const { down } = textsOf(folder, created!.tag)
  rmSync(filesOf(folder, created!.tag).down)
  t.strictSame((await writeDownFiles({ folder })).written, [{ tag: created!.tag, irreversible: [] }])
  t.equal(textsOf(folder, created!.tag).down, down)
  await rollbackMigrations(way)
  t.strictSame(await readCatalogue(client), start)
  t.strictSame((await client.query('select email, author from users join posts on author = users.id')).rows, [{ email: 'a', author: 1 }])
})

t.test('roles, and policies on tables outside the model, come and go', async (t) => {
  const folder = t.testdir()
  const reader = pgRole('reader')
  const theirs = pgPolicy('theirs', { to: reader, using: sql`true` }).link(pgTable('elsewhere', { id: integer() }))
  const { created } = await createMigration({ message: 'access', schema: { reader, theirs }, folder })
  t.strictSame(textsOf(folder, created!.tag), {
    up: 'CREATE ROLE "reader";--> statement-breakpoint\nCREATE POLICY "theirs" ON "elsewhere" AS PERMISSIVE FOR ALL TO "reader" USING (true);',
    down: 'DROP POLICY "theirs" ON "elsewhere";--> statement-breakpoint\nDROP ROLE "reader";\n'
  })
  t.strictSame(await createMigration({ message: 'again', schema: { reader, theirs }, folder }), {})
})

t.test('branches that change different things are joined by the next migration', async (t) => {
  const { folder } = await buildGenerated(t, [{ users }])
  const other = mkdtempSync(`${folder}-other-`)
  t.teardown(() => rmSync(other, { recursive: true }))
  cpSync(folder, other, { recursive: true })
  await createMigration({ message: 'one', schema: usersWith('one'), folder })
  const { created } = await createMigration({ message: 'two', schema: usersWith('two'), folder: other })
  cpSync(join(other, created!.tag), join(folder, created!.tag), { recursive: true })

  const { created: joined } = await createMigration({ message: 'three', schema: usersWith('one', 'two', 'three'), folder })
  t.strictSame(textsOf(folder, joined!.tag), {
    up: 'ALTER TABLE "users" ADD COLUMN "three" text;',
    down: '-- Drops the values of users.three, which the migration added.\nALTER TABLE "users" DROP COLUMN "three";\n'
  })
  t.equal(snapshotOf(folder, joined!.tag).prevIds.length, 2)
  const { down } = textsOf(folder, joined!.tag)
  for (const tag of readdirSync(folder)) rmSync(filesOf(folder, tag).down, { force: true })
  t.strictSame((await writeDownFiles({ folder })).written.map(({ irreversible }) => irreversible), [[], [], [], []])
  t.equal(textsOf(folder, joined!.tag).down, down)
})

t.test('branches that change the same thing are refused by name', async (t) => {
  const { folder } = await buildGenerated(t, [{ users }])
  const other = mkdtempSync(`${folder}-conflicting-`)
  t.teardown(() => rmSync(other, { recursive: true }))
  cpSync(folder, other, { recursive: true })
  await createMigration({ message: 'one', schema: usersWith('same'), folder })
  const differing = pgTable('users', { id: integer().primaryKey(), name: text(), same: integer() })
  const { created } = await createMigration({ message: 'two', schema: { users: differing }, folder: other })
  cpSync(join(other, created!.tag), join(folder, created!.tag), { recursive: true })
  for (const options of [{ autogenerate: false }, { schema: { users } }]) {
    await t.rejects(createMigration({ message: 'x', folder, ...options }), {
      code: 'DB_MIGRATION_FAILED',
      message: /Two branches .*add_column: same on users table \(\d{14}_one\) and .*_two\).*Remove the folder of one/
    })
  }
})

t.test('a column that was replaced has its way back, written later', async (t) => {
  const { folder } = await buildGenerated(t, [usersWith('one'), usersWith('two')])
  t.strictSame((await writeDownFiles({ folder })).written.map(({ irreversible }) => irreversible), [[], ['the values of users.one']])
})

t.test('handwritten migrations, breakpoints and the model without changes', async (t) => {
  const folder = t.testdir()
  const schema = { users, posts: pgTable('posts', { id: integer() }) }
  const { created } = await createMigration({ message: 'Two', schema, folder, breakpoints: false, prefix: 'timestamp' })
  t.notMatch(textsOf(folder, created!.tag).up, 'statement-breakpoint')
  const { created: own } = await createMigration({ message: 'Fill in', autogenerate: false, folder })
  t.match(own, { tag: /^\d{14}_fill_in$/, irreversible: [/handwritten SQL/] })
  t.equal(textsOf(folder, own!.tag).up, '-- Custom SQL migration file, put your code below! --')
  t.strictSame(await createMigration({ message: 'again', schema, folder }), {})
  rmSync(filesOf(folder, own!.tag).down)
  t.match((await writeDownFiles({ folder })).written, [{ tag: own!.tag, irreversible: [/handwritten SQL/] }])

  // drizzle-kit ignores a migration without a snapshot.
  rmSync(join(folder, own!.tag, 'snapshot.json'))
  rmSync(filesOf(folder, own!.tag).down)
  t.match((await writeDownFiles({ folder })).written, [{ tag: own!.tag, irreversible: [/handwritten SQL/] }])
})

t.test('options of drizzle-kit 0.31, its layout and older snapshots are refused with the way out', async (t) => {
  const create = (folder: string, options: object = {}) => createMigration({ message: 'x', schema: { users }, folder, ...options })
  const folder = t.testdir({
    journal: { meta: { '_journal.json': '{"entries":[]}' } },
    older: { '20260101000000_x': { 'migration.sql': '', 'snapshot.json': '{"version":"8","id":"a","prevIds":[]}' } },
    broken: { '20260101000000_x': { 'migration.sql': '', 'snapshot.json': '{' } },
    gap: { '20260101000000_x': { 'migration.sql': '', 'snapshot.json': '{"version":"9","dialect":"postgres","type":"diff","id":"a","prevIds":["b"],"footprints":[],"deltas":[]}' } }
  })
  await t.rejects(create(join(folder, 'new'), { prefix: 'index' }), { code: 'DB_MIGRATION_FAILED', message: /numbered by index: drizzle-kit 1\.0 names their folders by time/ })
  await t.rejects(create(join(folder, 'new'), { casing: 'snake_case' }), { name: 'UsageError', message: /snakeCase\.table\(\)/ })
  await t.rejects(create(join(folder, 'journal')), { code: 'DB_MIGRATION_FAILED', message: /layout of drizzle-kit 0\.31.*data-access migrate upgrade/ })
  await t.rejects(create(join(folder, 'older')), { code: 'DB_MIGRATION_MISSING', message: /snapshot\.json has the version 8.*drizzle-kit up/ })
  await t.rejects(create(join(folder, 'broken')), { code: 'DB_MIGRATION_MISSING', message: /snapshot\.json is not JSON/ })
  await t.rejects(create(join(folder, 'gap')), { code: 'DB_MIGRATION_MISSING', message: /drizzle-kit cannot read the snapshots: Cannot reconstruct/ })
  t.notOk(existsSync(join(folder, 'new')))
})

t.test('needs a model that drizzle-kit accepts', async (t) => {
  const folder = join(t.testdir(), 'drizzle')
  const twice = pgTable('twice', { id: integer() }, (self) => [index().on(self.id), index().on(self.id)])
  await t.rejects(createMigration({ message: 'x', schema: { twice }, folder }), {
    code: 'DB_MIGRATION_FAILED', message: /^drizzle-kit refuses the model: .*duplicate index name 'twice_id_index'/
  })
  t.notOk(existsSync(folder))
})

t.test('only one of two is written at once, and nothing is left behind', async (t) => {
  const folder = t.testdir()
  const both = await Promise.allSettled(['one', 'two'].map((message) => createMigration({ message, schema: { users }, folder })))
  t.strictSame(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  t.match(both.find(({ status }) => status === 'rejected'), { reason: { code: 'DB_MIGRATION_LOCKED', message: /Another (process|migration)/ } })
  t.equal(readdirSync(folder).length, 1)

  const late = writeMigration(folder, { tag: 'x', files: { 'migration.sql': '' }, former: [] })
  await t.rejects(late, { code: 'DB_MIGRATION_LOCKED', message: /Another migration was written/ })
  mkdirSync(join(folder, '.data-access'))
  await t.rejects(createMigration({ message: 'three', autogenerate: false, folder }), { code: 'DB_MIGRATION_LOCKED', message: /remove .*\.data-access$/ })
  t.strictSame(readdirSync(folder).length, 2)
})

t.test('says what to install if drizzle-kit is missing', async (t) => {
  await t.rejects(loadApi('drizzle-kit/nothing'), { code: 'DB_MIGRATION_FAILED', message: /npm install --save-dev drizzle-kit@/ })
})

t.test('a refusal by drizzle-kit has its own words', async (t) => {
  const odd = { ...emptySnapshot(), schemas: { app: 'app' }, tables: { 'public.t': {} as never } }
  await t.rejects(kit1.statements(emptySnapshot(), odd), { code: 'DB_MIGRATION_MISSING', message: /^drizzle-kit cannot compare the snapshots \(/ })
  t.equal((await refusal({ code: 'odd_error' }, [users])).message, 'drizzle-kit refuses the model: odd_error')
  t.equal((await refusal({ code: 'odd_error', message: 'something is odd' }, [users])).message, 'drizzle-kit refuses the model: something is odd')
  const broken = pgTable('broken', { id: integer() }, () => { throw new Error('broken model') })
  t.equal((await refusal({ code: 'odd_error' }, [broken])).message, 'drizzle-kit refuses the model: broken model')
})

t.test('only drizzle-kit is kept from ending the process and from printing', async (t) => {
  const ended = t.capture(process, 'exit', () => {})
  const printed = t.capture(process.stdout, 'write', process.stdout.write)
  const outside = () => { process.stdout.write('outside'); process.exit(5) }
  let leave = () => {}
  const left = new Promise<void>((resolve) => { leave = resolve })
  const running = withoutExit(async () => {
    await left
    process.stdout.write('inside')
    process.exit(1)
  })
  const other = withoutExit(async () => 'done')
  outside()
  leave()
  const error: unknown = await running.catch((thrown: unknown) => thrown)
  t.match(error, { name: 'Error', printed: 'inside' })
  t.equal(await other, 'done')
  t.strictSame(ended().map(({ args }) => args), [[5]])
  t.strictSame(printed().map(({ args: [text] }) => text).filter((text) => text === 'outside' || text === 'inside'), ['outside'])
})
