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
  t.equal(runner.transactions, 1, 'PostgreSQL may store some of the rows alone')
  await repo.createMany([{ email: 'd' }])
  t.equal(runner.transactions, 1, 'one row it stores or not')
})

t.test('creates nothing from nothing, and sends nothing', async (t) => {
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

t.test('stays below the number of parameters that PostgreSQL takes where each row has other columns', async (t) => {
  const some = (id: number) => Object.fromEntries(places.slice(0, 18 + id % 3).map((key) => [key, id]))
  const rows = await open(wide).createMany(Array.from({ length: 4_000 }, (_, id) => ({ id, ...some(id) })))

  t.equal(rows.length, 4_000)
  t.ok(rows.every((row, n) => row.id === n))
  t.match(rows.at(-1), { id: 3_999, c17: 3_999, c18: null })
  for (const { values } of runner.statements) t.ok(values.length > 0 && values.length <= 32_000)
})

t.test('sends one statement for every number of rows of the same columns, with a list for each', async (t) => {
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

t.test('keeps the order of rows, of what they are given by default and of their answers, wherever their columns change', async (t) => {
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

t.test('answers in order however PostgreSQL would like to go about it', async (t) => {
  const names = Array.from({ length: 1000 }, (_, n) => `user-${(n * 7919) % 1000}`)
  for (const setting of ['enable_sort', 'enable_hashagg', 'enable_material']) {
    await runner.client.query(`truncate users restart identity; set ${setting} = off; set work_mem = '64kB'; set debug_parallel_query = on`)
    const rows = await repo.createMany(names.map((email) => ({ email, name: 'x'.repeat(20) })))
    t.same(rows.map(({ email }) => email), names)
    t.same(rows.map(({ id }) => id), names.map((_, n) => n + 1))
  }
  await runner.client.query('reset all')
})

t.test('makes defaults of functions for each row, and passes SQL on', async (t) => {
  let made = 0
  const counted = pgTable('defaults', { id: integer().primaryKey().generatedAlwaysAsIdentity(), note: text().$defaultFn(() => `note ${++made}`) })
  const rows = await open(counted).createMany(Array.from({ length: 60 }, () => ({})))
  t.same(rows.map(({ note }) => note), rows.map((_, n) => `note ${n + 1}`))
  const later = await open(counted).createMany([{ note: sql`upper('a')` }, { note: 'b' }])
  t.same(later.map(({ note }) => note), ['A', 'b'])
})

t.test('sends long texts in statements of a bearable size', async (t) => {
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

t.test('checks eight thousand rows and more before it sends the first', async (t) => {
  const values = Array.from({ length: 8000 }, (_, n) => ({ email: n === 7999 ? 1 as never : `user-${n}` }))
  await t.rejects(repo.createMany(values), ValidationError)
  t.equal(runner.statements.length, 0)
})

t.test('a row that is refused when others were sent undoes those, and nothing more is sent', async (t) => {
  const values = Array.from({ length: 100_000 }, (_, n) => ({ email: n === 39_999 ? 1 as never : `user-${n}` }))
  await t.rejects(repo.createMany(values), ValidationError)
  t.ok(runner.statements.length > 0)
  t.ok(runner.statements.length < 40)
  t.equal(await repo.count(), 0)
})

t.test('creates the rows that it was given, whatever becomes of their array meanwhile', async (t) => {
  const values = Array.from({ length: 20_000 }, (_, n) => ({ email: `user-${n}` }))
  const creating = repo.createMany(values)
  values.length = 0
  t.equal((await creating).length, 20_000)
})

t.test('creates rows of nothing but defaults, however many', async (t) => {
  const rows = await open(defaults).createMany(Array.from({ length: 12_001 }, () => ({})))
  t.equal(rows.length, 12_001)
  t.same(rows.at(-1), { id: 12_001, note: 'none' })
})

t.test('a column may have quotes and backslashes in its name, whatever standard_conforming_strings says', async (t) => {
  const odd = pgTable('odd', { id: integer().primaryKey(), list: text('it\'s \\ "odd"').array() })
  const { repo, runner } = await openRepositories(t, 'create table odd (id integer primary key, "it\'s \\ ""odd""" text[])')
  for (const [turn, setting] of ['on', 'off'].entries()) {
    await runner.client.query(`set standard_conforming_strings to ${setting}`)
    const rows = Array.from({ length: 60 }, (_, place) => ({ id: turn * 100 + place, list: [`\\${place}`] }))
    t.strictSame(await repo(odd).createMany(rows), rows)
  }
})
