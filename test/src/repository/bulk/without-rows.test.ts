import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { sql } from 'drizzle-orm'
import t from 'tap'
import { PolicyViolationError, Repository, UniqueViolationError, ValidationError, openDatabase } from '../../../../src/index.js'
import { timestamps, version } from '../../../../src/model/columns.js'
import { captureStatements, createTestDatabase, expectNoLeaks } from '../../../../src/testing/index.js'
import type { NewRow, Row } from '../../../../src/index.js'
import type { CapturedStatement } from '../../../../src/testing/index.js'

const notes = pgTable('notes', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  title: text().notNull().unique(),
  size: integer().default(7),
  made: text().$defaultFn(() => 'here'),
  ...timestamps(),
  ...version()
})

const { connectionString } = await createTestDatabase(t, {
  sql: `create table notes (id integer primary key generated always as identity, title text not null unique, size integer default 7, made text,
      "createdAt" timestamptz(3) not null default now(), "updatedAt" timestamptz(3) not null default now(), version integer not null default 1);
    do $$ begin create role writer; exception when duplicate_object or unique_violation then null; end $$;
    grant insert on notes to writer`
})
const database = await openDatabase({ connectionString })
t.teardown(() => database.close())
const repo = database.repo(notes)
const numbered = (count: number): Array<NewRow<typeof notes>> => Array.from({ length: count }, (_, place) => ({ title: `note ${place}` }))

const inserts = (statements: readonly CapturedStatement[]): CapturedStatement[] => statements.filter(({ text }) => text.startsWith('insert'))

t.beforeEach(async () => { await database.execute(sql`truncate notes restart identity`) })
t.afterEach(() => expectNoLeaks(database))

t.test('resolves with the number of rows, which are stored in order with their defaults', async (t) => {
  t.equal(await repo.createMany(numbered(60), { returning: false }), 60)

  const stored = await repo.getAll({ limit: 100 })
  t.strictSame(stored.map(({ id, title }) => [id, title]), numbered(60).map(({ title }, place) => [place + 1, title]))
  for (const row of stored) t.match(row, { size: 7, made: 'here', version: 1, createdAt: Date, updatedAt: Date })
})

t.test('PostgreSQL sends no row back, whether the rows are arrays or not', async (t) => {
  const { result, statements } = await captureStatements(database, async () => [
    await repo.createMany(numbered(60), { returning: false }),
    await repo.createMany([{ title: 'a' }, { title: 'b', size: 1 }, { title: sql<string>`upper('c')` as never }], { returning: false }),
    await repo.createMany([{ title: 'd' }], { returning: false })
  ])
  t.strictSame(result, [60, 3, 1])
  t.strictSame(inserts(statements).map(({ text }) => text.includes('returning')), [false, false, false])

  const asked = await captureStatements(database, () => repo.createMany([{ title: 'e' }], { returning: true }))
  t.match(asked.result, [{ title: 'e' }])
  t.match(inserts(asked.statements), [{ text: /returning/ }], 'the same call with rows has a statement of its own')
})

t.test('an empty list is 0 rows, and nothing is sent', async (t) => {
  t.match(await captureStatements(database, () => repo.createMany([], { returning: false })), { result: 0, statements: { length: 0 } })
})

t.test('more rows than one statement can carry are all stored, or none of them', async (t) => {
  t.equal(await repo.createMany(numbered(25_000), { returning: false }), 25_000)
  t.equal(await repo.count(), 25_000)

  await t.rejects(repo.createMany([{ title: 'new' }, ...numbered(12_000)], { returning: false }), { name: 'UniqueViolationError', context: { row: 1 } })
  t.equal(await repo.count(), 25_000)
})

t.test('in a session it is part of the transaction, also after it was refused', async (t) => {
  await database.session(async (session) => {
    t.equal(await session.repo(notes).createMany(numbered(2), { returning: false }), 2)
    await t.rejects(session.repo(notes).createMany([{ title: 'x' }, { title: 'note 1' }], { returning: false }), UniqueViolationError)
    t.equal(await session.repo(notes).createMany([{ title: 'x' }, { title: 'y' }], { returning: false }), 2)
    t.equal(await repo.count(), 0, 'others see nothing yet')
  })
  t.strictSame((await repo.getAll()).map(({ title }) => title), ['note 0', 'note 1', 'x', 'y'])
})

t.test('callers write no other columns than the writable ones', async (t) => {
  await t.rejects(repo.writable(['title']).createMany([{ title: 'a', size: 1 } as never], { returning: false }), ValidationError)
  t.equal(await repo.writable(['title'], { others: 'drop' }).createMany([{ title: 'a', size: 1 } as never], { returning: false }), 1)
  t.match(await repo.first(), { title: 'a', size: 7 })
})

t.test('hooks run: rows come back for afterCreate only', async (t) => {
  const made: Array<Row<typeof notes>> = []
  class Upper extends Repository.of(notes) {
    protected override beforeCreate (values: NewRow<typeof notes>): NewRow<typeof notes> { return { ...values, title: String(values.title).toUpperCase() } }
  }
  class Watching extends Upper {
    protected override afterCreate (row: Row<typeof notes>): void { made.push(row) }
  }
  const { result, statements } = await captureStatements(database, () => database.repo(Upper).createMany([{ title: 'a' }, { title: 'b' }], { returning: false }))
  t.equal(result, 2)
  t.notMatch(inserts(statements), [{ text: /returning/ }])
  t.equal(await database.repo(Watching).createMany([{ title: 'c' }, { title: 'd' }], { returning: false }), 2)
  t.match(made, [{ id: 3, title: 'C' }, { id: 4, title: 'D' }])
  t.strictSame((await repo.getAll()).map(({ title }) => title), ['A', 'B', 'C', 'D'])
})

t.test('a role without the right to read can write, and a policy for SELECT is not asked about new rows', async (t) => {
  const options = `options=${encodeURIComponent('-c role=writer')}`
  const writers = await openDatabase({ connectionString: `${connectionString}${connectionString.includes('?') ? '&' : '?'}${options}` })
  t.teardown(() => writers.close())
  await t.rejects(writers.repo(notes).createMany(numbered(2)), { code: 'DB_ERROR', context: { sqlState: '42501' } })
  t.equal(await writers.repo(notes).createMany(numbered(2), { returning: false }), 2)

  await database.execute(sql.raw(`grant select on notes to writer; alter table notes enable row level security;
    create policy reading on notes for select using (title <> 'hidden'); create policy adding on notes for insert with check (title <> 'refused')`))
  await t.rejects(writers.repo(notes).createMany([{ title: 'a' }, { title: 'hidden' }]), PolicyViolationError)
  await t.rejects(writers.repo(notes).createMany([{ title: 'a' }, { title: 'refused' }], { returning: false }), PolicyViolationError)
  t.equal(await writers.repo(notes).createMany([{ title: 'a' }, { title: 'hidden' }], { returning: false }), 2)
  t.equal(await writers.repo(notes).count(), 3, 'the hidden row is stored')
  t.equal(await repo.count(), 4)
  await expectNoLeaks(writers)
})
