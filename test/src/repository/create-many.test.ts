import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { UniqueViolationError, ValidationError } from '../../../src/errors/errors.js'
import { openRepositories } from '../../helpers/runner.js'
import { users, usersSql } from './schema.js'

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
  t.equal(runner.transactions, 0)
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

t.test('stays below the number of parameters that PostgreSQL takes', async (t) => {
  const rows = await open(wide).createMany(Array.from({ length: 4_000 }, (_, id) => ({ id, ...Object.fromEntries(places.map((key) => [key, id])) })))

  t.equal(rows.length, 4_000)
  t.match(rows.at(-1), { id: 3_999, c19: 3_999 })
  t.ok(runner.statements.length > 1)
  for (const { values } of runner.statements) t.ok(values.length <= 65_535)
})

t.test('creates all of the rows or none', async (t) => {
  const values = Array.from({ length: 40_000 }, (_, n) => ({ email: `user-${n % 39_999}` }))
  await t.rejects(repo.createMany(values), UniqueViolationError)
  t.equal(await repo.count(), 0)
})

t.test('checks every row before it sends the first', async (t) => {
  const values = Array.from({ length: 40_000 }, (_, n) => ({ email: `user-${n}`, age: n === 39_999 ? 'old' as never : 1 }))
  values[39_999] = { email: 1 as never, age: 1 }
  await t.rejects(repo.createMany(values), ValidationError)
  t.equal(runner.statements.length, 0)
})

t.test('creates rows of nothing but defaults, however many', async (t) => {
  const rows = await open(defaults).createMany(Array.from({ length: 12_001 }, () => ({})))
  t.equal(rows.length, 12_001)
  t.same(rows.at(-1), { id: 12_001, note: 'none' })
})
