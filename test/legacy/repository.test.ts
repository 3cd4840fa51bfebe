import { readFileSync } from 'node:fs'
import { sql } from 'drizzle-orm'
import { bigint, integer, numeric, pgTable, text, timestamp, varchar } from 'drizzle-orm/pg-core'
import t from 'tap'
import { StaleRowError, asDeletedAt, asUpdatedAt, asVersion, increment, listQuery } from '../../src/index.js'
import { createTestDatabase, expectNoLeaks } from '../../src/testing/index.js'
import { accounts, activeCustomers, bookings, changeLog, customers as written, events, itSAName, ledger, order, orderLines, tags, totals } from './schema.js'
import type { Database } from '../../src/index.js'

const legacy = readFileSync(new URL('legacy.sql', import.meta.url), 'utf8')

/** The same table as in the schema file, with what its columns mean, and times as Dates. */
const customers = pgTable('Customers', {
  id: bigint('ID', { mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
  firstName: text('First Name').notNull(),
  eMail: varchar('E-Mail', { length: 200 }).notNull().unique(),
  order: integer('order').notNull().default(0),
  created: timestamp('created').notNull().default(sql`now()`),
  modified: asUpdatedAt(timestamp('modified', { precision: 6 }).notNull().default(sql`now()`)),
  removedOn: asDeletedAt(timestamp('REMOVED ON', { withTimezone: true }))
})
const orders = pgTable('order', {
  id: bigint('id', { mode: 'number' }).primaryKey(),
  customer: bigint('customer', { mode: 'number' }).notNull(),
  total: numeric('total', { precision: 12, scale: 2 }).notNull(),
  revision: asVersion(integer('lock_version').notNull().default(0))
})

async function open (t: Parameters<typeof createTestDatabase>[0]): Promise<Database> {
  const { database } = await createTestDatabase(t, { sql: legacy, schema: { accounts, written } })
  return database
}

t.test('a trigger may change what is written: each method resolves with the row as stored', async (t) => {
  const database = await open(t)
  const repo = database.repo(customers)
  const created = await repo.create({ firstName: 'Alan', eMail: 'ALAN@EXAMPLE.COM' })
  t.equal(created.eMail, 'alan@example.com')
  const [second] = await repo.createMany([{ firstName: 'Barbara', eMail: 'Barbara@Example.com' }])
  t.equal(second?.eMail, 'barbara@example.com')
  t.equal((await repo.update(created.id, { eMail: 'TURING@example.com' }))?.eMail, 'turing@example.com')
  t.equal((await repo.updateOrThrow(created.id, { order: increment(2) })).order, 2)
  t.equal(await repo.updateMany({ firstName: 'Barbara' }, { eMail: 'Liskov@example.com' }), 1)
  t.match(await repo.upsert({ id: created.id, firstName: 'Alan T.', eMail: 'A@B.C' }), { created: false, row: { eMail: 'a@b.c' } })
  t.match(await repo.upsertMany([{ firstName: 'New', eMail: 'NEW@B.C' }], { target: 'eMail' }), [{ created: true, row: { eMail: 'new@b.c' } }])
  t.match(await repo.getOrCreate({ eMail: 'other@b.c' }, { firstName: 'Other' }), { created: true })
  t.match(await repo.getOrCreate({ eMail: 'other@b.c' }, { firstName: 'Other' }), { created: false })

  const entry = await database.repo(ledger).create({ account: 9007199254740993n, amount: '1.26' })
  t.match(entry, { amount: '1.30', note: 'rounded', id: 2n })
  await expectNoLeaks(database)
})

t.test('rows with microseconds are read, found, kept, hidden and removed by every method', async (t) => {
  const database = await open(t)
  const repo = database.repo(customers)
  const [ada, grace] = await repo.getAll({ orderBy: { id: 'asc' } })
  if (ada === undefined || grace === undefined) throw new Error('two rows were there')
  t.strictSame(await repo.getBy({ created: ada.created, firstName: 'Ada' }), ada)
  t.equal(await repo.count({ created: ada.created }), 2, 'both were created in one millisecond')
  const stored = async () => (await database.query('select created::text from "Customers" order by "ID"')).rows
  const before = await stored()
  await repo.updateOrThrow(ada.id, { ...ada, firstName: 'Augusta' })
  t.strictSame(await stored(), before)

  t.strictSame((await repo.getMany([grace.id, ada.id])).map(({ id }) => id), [2, 1])
  t.equal((await repo.getOrThrow(2, { lock: 'update' })).firstName, 'Grace')
  t.equal((await repo.first({ firstName: { startsWith: 'Gr' } }))?.id, 2)
  t.strictSame((await repo.filter({ created: { between: [ada.created, ada.created] } }, { columns: ['id'], orderBy: { id: 'desc' } })), [{ id: 2 }, { id: 1 }])
  t.equal((await repo.paginate({}, { limit: 1 })).total, 2)
  const { items, next } = await repo.cursor({}, { limit: 1, orderBy: { created: 'asc' } })
  t.strictSame(items.map(({ id }) => id), [1])
  t.strictSame((await repo.cursor({}, { limit: 1, orderBy: { created: 'asc' }, after: next as string })).items.map(({ id }) => id), [2])
  const streamed: number[] = []
  for await (const { id } of repo.stream({}, { orderBy: { created: 'desc' } })) streamed.push(id)
  t.strictSame(streamed, [2, 1])
  t.equal(await repo.exists({ eMail: 'grace@example.com' }), true)
  t.strictSame((await repo.filter(...listQuery(customers, { filterable: ['firstName'] }).filter({ firstName: 'Grace' }))).map(({ id }) => id), [2])

  t.ok((await repo.softDelete(2))?.removedOn)
  t.equal(await repo.get(2), undefined)
  t.equal(await repo.onlyDeleted().count(), 1)
  t.equal((await repo.restore(2))?.removedOn, null)
  const third = await repo.create({ firstName: 'x', eMail: 'x' })
  t.equal(await repo.delete(third.id), true)
  await repo.create({ firstName: 'y', eMail: 'y' })
  t.equal(await repo.deleteMany({ eMail: 'y' }), 1)
})

t.test('a version column of its own detects concurrent changes, and a trigger writes its log', async (t) => {
  const database = await open(t)
  const repo = database.repo(orders)
  t.equal((await repo.updateOrThrow(1, { total: increment('0.5') }, { expectedVersion: 0 })).revision, 1)
  await t.rejects(repo.update(1, { total: '1' }, { expectedVersion: 0 }), StaleRowError)
  t.ok(await database.repo(changeLog).exists({ table: 'order', what: { jsonContains: { id: 1, total: 10.5 } } }))
})

t.test('ids beyond the safe integers of JavaScript stay exact with mode bigint', async (t) => {
  const database = await open(t)
  const repo = database.repo(accounts)
  const number = 9007199254740993n
  t.match(await repo.get(number), { number, owner: 1n, balance: '100.00' })
  t.equal((await repo.updateOrThrow(number, { balance: increment('0.01') })).balance, '100.01')
  t.equal(await repo.get(number - 1n), undefined)
  t.strictSame((await repo.getMany([number])).map((row) => row.number), [number])
  t.match(await repo.upsert({ number, rate: '12.5' }), { created: false, row: { rate: '12.50' } })
  await t.rejects(repo.update(number, { rate: '101' }), { name: 'CheckViolationError' }, 'a domain checks')
  t.equal((await database.repo(order).create({ customer: 2n })).state, 'new')
})

t.test('names with spaces, quotes, upper case and reserved words are names like any others', async (t) => {
  const database = await open(t)
  const lines = database.repo(orderLines)
  t.equal((await lines.get({ order: 1n, line: 2 }))?.select, 'ink')
  t.equal((await lines.updateOrThrow({ order: 1n, line: 2 }, { quantity: 2 })).amount, '17.00', 'generated columns are read back')
  t.strictSame((await lines.getMany([{ order: 1n, line: 2 }, { order: 1n, line: 1 }])).map(({ line }) => line), [2, 1])
  const named = database.repo(itSAName)
  t.strictSame(await named.getOrThrow('a'), { key1: 'a', itS: 'b', upper: false })
  t.equal((await named.upsert({ key1: 'a', upper: true })).row.upper, true)
  t.equal((await named.create({ key1: '"\'' })).key1, '"\'')
  t.strictSame((await named.filter({ upper: true }, { orderBy: { itS: 'asc' } })).map(({ key1 }) => key1), ['a'])
  t.equal((await named.cursor({}, { limit: 1, orderBy: { upper: 'asc' } })).items.length, 1)
  t.equal(await named.delete('a'), true)
  const [tag] = await database.repo(tags).getAll()
  t.match(tag, { labels: ['a', 'b c'], moods: ['new', "it's gone"] })
  t.strictSame((await database.repo(tags).filter({ labels: { arrayContains: ['b c'] } })).length, 1)
})

t.test('partitions and exclusion constraints hold as they do without this package', async (t) => {
  const database = await open(t)
  const repo = database.repo(events)
  const [first] = await repo.getAll({ orderBy: { id: 'asc' } })
  if (first === undefined) throw new Error('a row was there')
  t.match(await repo.get({ id: 1n, happened: first.happened }), { payload: { a: 1 } })
  t.match(await repo.upsert({ id: 1n, happened: first.happened, payload: { a: 2 } }), { created: false, row: { payload: { a: 2 } } })
  t.match(await repo.upsert({ id: 7n, happened: '2025-02-03 04:05:06.123456+00' }), { created: true })
  await t.rejects(database.repo(bookings).create({ room: 1, during: '[2026-01-01 12:00+00, 2026-01-03)' }), { name: 'ExclusionViolationError' })
})

t.test('views are read through Drizzle, and an INSTEAD OF trigger writes them there', async (t) => {
  const database = await open(t)
  t.throws(() => database.repo(activeCustomers as never), { name: 'UsageError', message: /View "Active Customers" cannot be used as a table: read it through `drizzle`/ })
  await database.session(async (session) => {
    t.strictSame(await session.drizzle.select({ name: activeCustomers.firstName }).from(activeCustomers), [{ name: 'Ada' }, { name: 'Grace' }])
    const { rows: [made] } = await session.query('insert into "Active Customers" ("First Name", "E-Mail") values (\'Edsger\', \'E@W.D\') returning "ID"')
    t.match(await session.repo(customers).get(Number(Object(made).ID)), { firstName: 'Edsger', eMail: 'e@w.d' })
    await session.execute(sql`refresh materialized view legacy.totals`)
    t.strictSame(await session.drizzle.select().from(totals), [{ account: 9007199254740993n, total: '12.30' }])
  })
})
