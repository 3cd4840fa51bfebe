import { sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { UniqueViolationError, ValidationError } from '../../../../src/errors/errors.js'
import { increment } from '../../../../src/repository/types/increment.js'
import { openRepositories } from '../../../helpers/runner.js'
import { membershipsSql } from '../schema.js'
import { accounts, pages, upsertSql } from './schema.js'

const opened = await openRepositories(t, upsertSql + membershipsSql)
const { repo: open, runner } = opened
const repo = open(pages)

t.beforeEach(async () => {
  await runner.client.query('rollback; truncate slots, pages, accounts, memberships restart identity')
  runner.statements.length = 0
  runner.transactions = 0
})

t.test('upserts many rows in one transaction, in order, even the same key several times', async (t) => {
  await repo.create({ path: 'old', title: 'x' })
  const results = await repo.upsertMany([
    { path: 'a', title: 'one' }, { path: 'old', title: 'new' }, { path: 'a', slug: 'two' }, { path: 'b', slug: 'three' }, { path: 'a', title: 'four' }
  ], { target: 'path' })
  t.same(results.map(({ row: { path, title, slug }, created }) => [path, title, slug, created]), [
    ['a', 'one', null, true], ['old', 'new', null, false], ['a', 'one', 'two', false], ['b', null, 'three', true], ['a', 'four', 'two', false]
  ])
  t.equal(runner.transactions, 1)
  t.same(await repo.upsertMany([]), [])
  t.match(await repo.upsertMany([{ path: 'c' }], { target: 'path' }), [{ created: true }])
  t.equal(runner.transactions, 1, 'one row needs no transaction')
})

t.test('returns each of many rows as it was at its turn', async (t) => {
  await repo.create({ path: 'a', title: 'one' })
  const results = await repo.upsertMany([{ path: 'a' }, { path: 'a', title: 'two' }, { path: 'a' }, { path: 'a', title: 'three' }], { target: 'path' })
  t.same(results.map(({ row: { title, version } }) => [title, version]), [['one', 1], ['two', 2], ['two', 2], ['three', 3]])
  const bounded = await repo.upsertMany(
    [{ path: 'a', views: 1 }, { path: 'a', views: 2 }, { path: 'a', views: 3 }],
    { target: 'path', where: sql`${pages.views} < 2 and excluded.views <> 1` }
  )
  t.same(bounded.map(({ row: { views } }) => views), [0, 2, 2])
})

t.test('upserts all of many rows or none, and checks thousands before it sends the first', async (t) => {
  const rows = Array.from({ length: 700 }, (_, n) => ({ path: `p${n}`, code: String(n === 699 ? 1 : n + 1) }))
  await t.rejects(repo.upsertMany(rows, { target: 'path' }), UniqueViolationError)
  t.equal(await repo.count(), 0)
  runner.statements.length = 0
  await t.rejects(repo.upsertMany([...rows, { path: 1 } as never], { target: 'path' }), ValidationError)
  t.equal(runner.statements.length, 0)
})

/** Rows with different keys. */
function many (count: number, path: (n: number) => string = (n) => `p${n}`) {
  return Array.from({ length: count }, (_, n) => ({ path: path(n), title: n % 3 > 0 ? `"title\\${n}` : null, views: n }))
}

t.test('sends many rows of the same columns as arrays, and reports for each if it was created', async (t) => {
  await repo.createMany(many(5000).filter((_, n) => n % 2 > 0).map((row) => ({ ...row, title: 'old', slug: 'kept' })))
  runner.statements.length = 0
  const rows = many(5000)

  const results = await repo.upsertMany(rows, { target: 'path' })

  t.same(results.map(({ row: { path, title, views, slug, version }, created }) => ({ path, title, views, slug, version, created })),
    rows.map((row, n) => ({ ...row, ...(n % 2 > 0 ? { slug: 'kept', version: 2, created: false } : { slug: null, version: 1, created: true }) })))
  t.ok(runner.statements.length <= 6, `${runner.statements.length} statements`)
  t.equal(new Set(runner.statements.map(({ name }) => name)).size, 1)
  t.equal(await repo.count(), 5000)
})

t.test('begins new arrays when a key repeats, so that the later row changes the earlier one', async (t) => {
  const results = await repo.upsertMany(many(180, (n) => `p${n % 60}`), { target: 'path', update: { views: increment(100) } })
  t.same(
    results.map(({ row: { views, version }, created }) => [views, version, created]),
    Array.from({ length: 180 }, (_, n) => [n % 60 + 100 * Math.floor(n / 60), 1 + Math.floor(n / 60), n < 60])
  )
  t.equal(runner.statements.length, 3)
})

t.test('upserts rows one by one if two texts mean the same key', async (t) => {
  const rows = Array.from({ length: 100 }, (_, n) => ({ path: `p${n}`, code: n === 99 ? '50.00' : String(n + 1), slug: `s${n}` }))
  const results = await repo.upsertMany(rows, { target: 'code' })
  t.same(results.map(({ created }) => created), rows.map((_, n) => n < 99))
  t.match(results[99], { row: { path: 'p99', code: '50', slug: 's99', version: 2 } })
  t.equal(await repo.count(), 99)
})

t.test('keeps the order of hundreds of rows with different columns each, and sends no arrays', async (t) => {
  const rows = Array.from({ length: 450 }, (_, n) => ({ path: `p${n % 300}`, ...(n % 2 > 0 ? { slug: `s${n}` } : { title: `t${n}` }) }))
  const results = await repo.upsertMany(rows, { target: 'path' })
  t.same(results.map(({ row: { path }, created }) => [path, created]), rows.map(({ path }, n) => [path, n < 300]))
  t.same(results.map(({ row }) => row), results.map(({ row }, n) => ({ ...row, ...rows[n] })))
  t.equal(runner.statements.length, 450)
})

t.test('upserts more rows than one savepoint covers', async (t) => {
  const results = await repo.upsertMany(many(32_100), { target: 'path' })
  t.same(results.map(({ row: { path } }) => path), many(32_100).map(({ path }) => path))
  t.equal(await repo.count(), 32_100)
})

t.test('loses no row after a batch that is sent one by one while more rows are read', async (t) => {
  // Large rows, so that statements are full early, after as many small rows as are checked first.
  const title = 'x'.repeat(100_000)
  const rows = Array.from({ length: 8250 }, (_, n) => ({
    path: `p${n}`, code: n === 7999 ? '7990.00' : String(n), ...(n < 7950 ? { slug: `s${n}` } : { title })
  }))
  const results = await repo.upsertMany(rows, { target: 'code' })
  t.strictSame(results.map(({ row: { path } }) => path), rows.map(({ path }) => path))
  t.equal(await repo.count(), 8249)
})

t.test('a refused row undoes the rows sent before', async (t) => {
  const rows = many(20_000)
  await t.rejects(repo.upsertMany([...rows, { path: 1 } as never], { target: 'path' }), ValidationError)
  t.ok(runner.statements.length > 0)
  t.equal(await repo.count(), 0)
})

t.test('keeps no row of a batch with a conflict on an invisible row', async (t) => {
  const repo = open(accounts)
  const { id } = await repo.create({ email: 'a', login: 'l99' })
  await repo.softDelete(id)
  const rows = Array.from({ length: 100 }, (_, n) => ({ email: `e${n}`, login: `l${n}` }))
  await t.rejects(repo.upsertMany(rows, { target: 'login' }), UniqueViolationError)
  t.equal(await repo.withDeleted().count(), 1)
  t.equal((await repo.upsertMany(rows, { target: 'login', deleted: 'revive' })).filter(({ created }) => created).length, 99)
  t.match(await repo.get(id), { email: 'e99', deletedAt: null })
})

t.test('writes the value of $onUpdate for each of many rows', async (t) => {
  let n = 0
  const stamped = pgTable('slots', {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    site: integer(),
    slug: text(),
    name: text().$onUpdate(() => `n${Math.floor(n++ / 2)}`),
    colour: text().unique()
  })
  const repo = open(stamped)
  const rows = Array.from({ length: 120 }, (_, n) => ({ colour: `c${n}`, site: n }))
  const first = await repo.upsertMany(rows, { target: 'colour' })
  t.same(first.map(({ row: { name } }) => name), rows.map((_, n) => `n${n}`), 'it is called for the new row and for the existing one')
  n = 1000
  const second = await repo.upsertMany(rows, { target: 'colour', update: ['site'] })
  t.same(second.map(({ row: { name } }) => name), rows.map((_, n) => `n${n + 500}`))
})
