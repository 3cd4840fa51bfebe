import { sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { UniqueViolationError, ValidationError } from '../../../../src/errors/errors.js'
import { openRepositories } from '../../../helpers/runner.js'
import { users, usersSql } from '../schema.js'

const defaults = pgTable('defaults', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  note: text().default('none')
})

const places = Array.from({ length: 20 }, (_, n) => `c${n}`)
const wide = pgTable('wide', { id: integer().primaryKey(), ...Object.fromEntries(places.map((key) => [key, integer()])) })

const { repo: open, runner } = await openRepositories(t, `${usersSql}
  create table defaults (id integer primary key generated always as identity, note text default 'none');
  create table wide (id integer primary key, ${places.map((key) => `${key} integer`).join(', ')});`)
const repo = open(users)

t.beforeEach(async () => {
  runner.statements.length = 0
  runner.transactions = 0
  await runner.client.query('truncate users, defaults, wide restart identity')
})

t.test('creates rows in one statement, in order, each with its own columns', async (t) => {
  const rows = await repo.createMany([{ email: 'c', age: 3 }, { email: 'a', active: false, age: undefined }, { email: 'b', name: null }])

  t.same(rows.map(({ email, age, active }) => [email, age, active]), [['c', 3, true], ['a', null, false], ['b', null, true]])
  t.equal(runner.statements.length, 1)
  t.equal(runner.transactions, 1, 'PostgreSQL could store some of the rows only')
  await repo.createMany([{ email: 'd' }])
  t.equal(runner.transactions, 1, 'a single row is stored or not')
})

t.test('creates nothing from an empty list, and sends nothing', async (t) => {
  t.same(await repo.createMany([]), [])
  t.equal(runner.statements.length, 0)
  await t.rejects(repo.createMany({ email: 'a' } as never), ValidationError)
})

t.test('creates more rows than one statement can carry, in order', async (t) => {
  const values = Array.from({ length: 25_000 }, (_, n) => ({ email: `user-${n}`, age: n, name: n % 2 === 0 ? 'even' : null }))

  const rows = await repo.createMany(values)

  t.equal(rows.length, 25_000)
  t.ok(rows.every(({ email, age }, n) => email === `user-${n}` && age === n))
  t.equal(await repo.count(), 25_000)
  t.equal(runner.transactions, 1)
  for (const { values } of runner.statements) t.ok(values.length <= 65_535)
})

t.test("stays below PostgreSQL's maximum of parameters when each row has other columns", async (t) => {
  const some = (id: number) => Object.fromEntries(places.slice(0, 18 + id % 3).map((key) => [key, id]))
  const rows = await open(wide).createMany(Array.from({ length: 4_000 }, (_, id) => ({ id, ...some(id) })))

  t.equal(rows.length, 4_000)
  t.ok(rows.every((row, n) => row.id === n))
  t.match(rows.at(-1), { id: 3_999, c17: 3_999, c18: null })
  for (const { values } of runner.statements) t.ok(values.length > 0 && values.length <= 32_000)
})

t.test('sends one statement for any number of rows with the same columns, with an array a column', async (t) => {
  for (const length of [1, 2, 49, 51, 999]) await repo.createMany(Array.from({ length }, (_, n) => ({ email: `user-${length}-${n}`, age: n })))

  const [first] = runner.statements
  t.equal(runner.statements.length, 5)
  for (const { text, name, values } of runner.statements) {
    t.equal(text, first?.text)
    t.equal(name, first?.name)
    t.equal(values.length, 3)
  }
  t.ok(first?.name)
})

t.test('keeps the order of rows, defaults and results wherever the columns change', async (t) => {
  const lengths = [3, 60, 1, 1, 1200, 49, 51, 20]
  const values = lengths.flatMap((length, part) => Array.from({ length }, (_, n) => ({
    email: `${part}-${n}`, ...(part % 2 === 0 ? { age: n } : { name: 'x' })
  })))
  values[1000] = { email: 'sql', age: sql`40 + 2` as never }

  const rows = await repo.createMany(values)

  t.same(rows.map(({ email }) => email), values.map(({ email }) => email))
  t.same(rows.map(({ id }) => id), values.map((_, n) => n + 1))
  t.same((await runner.client.query('select email from users order by id')).rows, values.map(({ email }) => ({ email })))
  t.equal(rows[1000]?.age, 42)
})

t.test('returns rows in order, whatever plan PostgreSQL chooses', async (t) => {
  const names = Array.from({ length: 1000 }, (_, n) => `user-${(n * 7919) % 1000}`)
  for (const setting of ['enable_sort', 'enable_hashagg', 'enable_material']) {
    await runner.client.query(`truncate users restart identity; set ${setting} = off; set work_mem = '64kB'; set debug_parallel_query = on`)
    const rows = await repo.createMany(names.map((email) => ({ email, name: 'x'.repeat(20) })))
    t.same(rows.map(({ email }) => email), names)
    t.same(rows.map(({ id }) => id), names.map((_, n) => n + 1))
  }
  await runner.client.query('reset all')
})

t.test('calls default functions for each row, and accepts SQL as a value', async (t) => {
  let made = 0
  const counted = pgTable('defaults', { id: integer().primaryKey().generatedAlwaysAsIdentity(), note: text().$defaultFn(() => `note ${++made}`) })
  const rows = await open(counted).createMany(Array.from({ length: 60 }, () => ({})))
  t.same(rows.map(({ note }) => note), rows.map((_, n) => `note ${n + 1}`))
  const later = await open(counted).createMany([{ note: sql`upper('a')` }, { note: 'b' }])
  t.same(later.map(({ note }) => note), ['A', 'b'])
})

t.test('limits the size of a statement with long texts', async (t) => {
  const long = 'x'.repeat(300_000)
  const rows = await repo.createMany(Array.from({ length: 12 }, (_, n) => ({ email: `${n}`, settings: { theme: long } })))
  t.equal(rows.length, 12)
  t.equal(runner.statements.length, 3)
  for (const { values } of runner.statements) t.ok(String(values[2]).length < 1_500_000)
})

t.test('creates all of the rows or none', async (t) => {
  const values = Array.from({ length: 40_000 }, (_, n) => ({ email: `user-${n % 39_999}` }))
  await t.rejects(repo.createMany(values), UniqueViolationError)
  t.equal(await repo.count(), 0)
})

t.test('checks more than eight thousand rows before it sends the first', async (t) => {
  const values = Array.from({ length: 8000 }, (_, n) => ({ email: n === 7999 ? 1 as never : `user-${n}` }))
  await t.rejects(repo.createMany(values), ValidationError)
  t.equal(runner.statements.length, 0)
})

t.test('a refused row undoes the rows sent before, and no more rows are sent', async (t) => {
  const values = Array.from({ length: 100_000 }, (_, n) => ({ email: n === 39_999 ? 1 as never : `user-${n}` }))
  await t.rejects(repo.createMany(values), ValidationError)
  t.ok(runner.statements.length > 0)
  t.ok(runner.statements.length < 40)
  t.equal(await repo.count(), 0)
})

t.test('creates the given rows, even if their array changes meanwhile', async (t) => {
  const values = Array.from({ length: 20_000 }, (_, n) => ({ email: `user-${n}` }))
  const creating = repo.createMany(values)
  values.length = 0
  t.equal((await creating).length, 20_000)
})

t.test('creates any number of rows that have only defaults', async (t) => {
  const rows = await open(defaults).createMany(Array.from({ length: 12_001 }, () => ({})))
  t.equal(rows.length, 12_001)
  t.same(rows.at(-1), { id: 12_001, note: 'none' })
})

t.test('a column name may have quotes and backslashes, with any standard_conforming_strings', async (t) => {
  const odd = pgTable('odd', { id: integer().primaryKey(), list: text('it\'s \\ "odd"').array() })
  const { repo, runner } = await openRepositories(t, 'create table odd (id integer primary key, "it\'s \\ ""odd""" text[])')
  for (const [turn, setting] of ['on', 'off'].entries()) {
    await runner.client.query(`set standard_conforming_strings to ${setting}`)
    const rows = Array.from({ length: 60 }, (_, place) => ({ id: turn * 100 + place, list: [`\\${place}`] }))
    t.strictSame(await repo(odd).createMany(rows), rows)
  }
})
