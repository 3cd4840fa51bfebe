import { sql } from 'drizzle-orm'
import { integer, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core'
import t from 'tap'
import { MultipleResultsError } from '../../../../src/errors/errors.js'
import { asDeletedAt, asUpdatedAt } from '../../../../src/model/own-columns.js'
import { openRepositories } from '../../../helpers/runner.js'
import type { Test } from 'tap'

const orders = pgTable('orders', {
  id: integer().primaryKey(),
  name: text().notNull(),
  placed: timestamp(),
  paid: timestamp({ withTimezone: true, precision: 6 }),
  sent: timestamp({ mode: 'string' }),
  seen: timestamp({ precision: 3 })
})
const ordersSql = `
  create table orders (id int primary key, name text not null, placed timestamp, paid timestamptz(6), sent timestamp, seen timestamp(3));
  insert into orders select n, 'a', t, t at time zone 'utc', t, t
    from (values (1, '2026-01-02 03:04:05.678901'::timestamp), (2, '1969-12-31 23:59:59.999999'), (3, 'infinity'), (4, null)) as given (n, t)`

/** A repository of orders, and a function that reads what PostgreSQL has. */
async function open (t: Test) {
  const { repo, runner } = await openRepositories(t, ordersSql)
  const stored = async (): Promise<unknown[]> => (await runner.client.query({
    text: 'select id, placed::text, paid::text, sent::text, seen::text from orders order by id', rowMode: 'array'
  })).rows
  return { repo: repo(orders), runner, stored }
}

t.test('writing a row back as it was read alters no time of it, with each method', async (t) => {
  const { repo, stored } = await open(t)
  const before = await stored()
  for (const row of await repo.getAll()) {
    await repo.updateOrThrow(row.id, { ...row, name: 'b' })
    await repo.updateMany({ id: row.id }, { ...row, name: 'c' })
    await repo.upsert({ ...row, name: 'd' })
    await repo.upsert({ ...row, name: 'd' }, { update: { placed: row.placed, paid: row.paid } })
  }
  await repo.upsertMany((await repo.getAll()).map((row) => ({ ...row, name: 'e' })))
  const many = await repo.upsertMany(Array.from({ length: 50 }, (_, index) => ({ id: index + 100, name: 'f', placed: new Date(index) })))
  await repo.upsertMany(many.map(({ row }) => ({ ...row, name: 'g' })))
  t.equal(await repo.deleteMany({ id: { gte: 100 }, name: 'g' }), 50)
  t.strictSame(await stored(), before)
  t.strictSame((await repo.getAll()).map(({ name }) => name), ['e', 'e', 'e', 'e'])
})

t.test('another time is stored, also in the same second', async (t) => {
  const { repo, stored } = await open(t)
  const placed = new Date('2026-01-02T03:04:05.679Z')
  t.strictSame((await repo.updateOrThrow(1, { placed, paid: null })).placed, placed)
  await repo.updateOrThrow(4, { placed, paid: placed })
  await repo.upsert({ id: 2, name: 'a', placed })
  await repo.updateOrThrow(3, { placed: sql`'2026-01-02 03:04:05.678902'` })
  t.match(await stored(), [
    [1, '2026-01-02 03:04:05.679', null], [2, '2026-01-02 03:04:05.679'], [3, '2026-01-02 03:04:05.678902'], [4, '2026-01-02 03:04:05.679']
  ])
})

t.test('times with milliseconds, and texts, are written as they are', async (t) => {
  const { repo, runner } = await open(t)
  await repo.updateOrThrow(1, { sent: '2026-01-02 03:04:05.678901', seen: new Date(0) })
  t.notMatch(runner.statements.at(-1)?.text, /date_trunc/)
})

const columns = {
  device: integer().notNull(),
  at: timestamp({ withTimezone: true }).notNull(),
  value: integer(),
  removed: asDeletedAt(timestamp()),
  changed: asUpdatedAt(timestamp())
}
const measures = pgTable('measures', columns, (table) => [primaryKey({ columns: [table.device, table.at] })])
const measuresSql = `
  create table measures (device int, at timestamptz, value int, removed timestamp, changed timestamp, primary key (device, at));
  insert into measures select 1, '2026-01-02 03:04:05.000001+00'::timestamptz + n * interval '1.1 milliseconds', n from generate_series(1, 9) n;
  insert into measures values (2, '2026-01-02 03:04:05.000001+00', 1), (2, '2026-01-02 03:04:05.000002+00', 2), (3, 'infinity', 3)`

t.test('a key with a time finds its row, with each method', async (t) => {
  const { repo: open } = await openRepositories(t, measuresSql)
  const repo = open(measures)
  const rows = await repo.filter({ device: { in: [1, 3] } })
  for (const { device, at, value } of rows) {
    t.equal((await repo.get({ device, at }))?.value, value)
    t.equal((await repo.getOrThrow({ device, at }, { lock: 'update' })).value, value)
    t.equal((await repo.update({ device, at }, { value: Number(value) + 100 }))?.value, Number(value) + 100)
    t.strictSame((await repo.updateOrThrow({ device, at }, { device, at })).at, at)
    t.ok((await repo.softDelete({ device, at }))?.removed)
    t.equal((await repo.restore({ device, at }))?.removed, null)
    t.match(await repo.upsert({ device, at, value: 7 }), { created: false, row: { device, value: 7 } })
    t.match(await repo.upsertMany([{ device, at, value: 8 }]), [{ created: false, row: { device, value: 8 } }])
    t.match(await repo.getOrCreate({ device, at }, { value: 9 }), { created: false, row: { value: 8 } })
  }
  t.strictSame((await repo.getMany(rows.map(({ device, at }) => ({ device, at })).toReversed())).map(({ at }) => at), rows.map(({ at }) => at).toReversed())
  t.equal(await repo.count(), 12, 'and no row came to it')
  for (const { device, at } of rows) t.equal(await repo.delete({ device, at }), true)
  t.equal(await repo.count(), 2)
})

t.test('a key that two rows have as it is read is refused, and changes neither', async (t) => {
  const { repo: open } = await openRepositories(t, measuresSql)
  const repo = open(measures)
  const [first] = await repo.filter({ device: 2 })
  const id = { device: 2, at: first?.at ?? new Date() }
  const calls: ReadonlyArray<() => Promise<unknown>> = [
    () => repo.get(id), () => repo.update(id, { value: 0 }), () => repo.delete(id), () => repo.softDelete(id), () => repo.upsert({ ...id, value: 0 })
  ]
  for (const call of calls) {
    await t.rejects(call(), MultipleResultsError)
  }
  t.strictSame((await repo.filter({ device: 2 })).map(({ value }) => value), [1, 2])
})

t.test('a new key with a time is stored, and one without is refused as ever', async (t) => {
  const { repo: open } = await openRepositories(t, measuresSql)
  const repo = open(measures)
  const at = new Date('2026-02-03T04:05:06.789Z')
  t.equal((await repo.upsert({ device: 4, at, value: 1 })).created, true)
  t.equal((await repo.upsert({ device: 4, at, value: 2 })).created, false)
  t.equal((await repo.upsert({ device: 4, at: sql`'2026-02-03 04:05:06.789001+00'`, value: 3 })).created, true, 'SQL has microseconds')
  await t.rejects(repo.upsert({ at, value: 1 } as never), { name: 'ValidationError', message: 'Column "device" identifies the row: it needs a value' })
  await t.rejects(repo.upsert({ device: 'x', at } as never), { name: 'ValidationError' })
})
