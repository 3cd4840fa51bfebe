import { sql } from 'drizzle-orm'
import t from 'tap'
import { UniqueViolationError, ValidationError } from '../../../../src/errors/errors.js'
import { Repository } from '../../../../src/repository/repository.js'
import { openRepositories } from '../../../helpers/runner.js'
import type { NewRow } from '../../../../src/repository/types/filters.js'
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

t.test('gets a row, or creates it from the values of the search', async (t) => {
  const first = await repo.getOrCreate({ path: '/' }, { title: 'Home' })
  t.match(first, { created: true, row: { path: '/', title: 'Home' } })
  const second = await repo.getOrCreate({ path: { eq: '/' }, title: { startsWith: 'H' } }, { views: 9 } as never)
  t.match(second, { created: false, row: { id: 1, views: 0, version: 1 } })
  t.match(await repo.getOrCreate({ path: 'a', site: 3, slug: null }), { created: true, row: { site: 3, slug: null } })
  t.equal((await repo.getOrCreate({ path: 'a' })).row.site, 3)

  await t.rejects(repo.getOrCreate({ path: '/', title: 'Other' }), UniqueViolationError, 'the row exists, but does not match the filter')
  await t.rejects(repo.getOrCreate({ title: 'x' } as never), { code: 'DB_VALIDATION', message: /unique key of "pages"/ })
  await t.rejects(repo.getOrCreate({ path: { contains: '/' } } as never), ValidationError)
  await t.rejects(repo.getOrCreate(sql`true` as never), ValidationError)
  await t.rejects(repo.getOrCreate({ path: '/' }, { path: 'x' } as never), { message: /"path" is in the filter/ })
  await t.rejects(repo.getOrCreate({ path: '/' }, 7 as never), ValidationError)
  await t.rejects(repo.getOrCreate({ path: '/' }, { views: 'many' as never, shown: [] as never }), ValidationError)
  await t.rejects(repo.getOrCreate({ and: [{ path: '/' }] } as never), ValidationError)
})

t.test('neither returns a deleted row nor hides that it exists', async (t) => {
  const repo = open(accounts)
  const { id } = await repo.create({ email: 'a', login: 'ada' })
  await repo.softDelete(id)
  await t.rejects(repo.getOrCreate({ login: 'ada' }, { email: 'b' }), UniqueViolationError)
  t.match(await repo.getOrCreate({ email: 'a' }, { name: 'New' }), { created: true, row: { name: 'New' } })
  t.match(await repo.getOrCreate({ email: 'a' }, { name: 'Newer' }), { created: false, row: { name: 'New' } })
})

class Noting extends Repository.of(pages) {
  static calls: unknown[] = []
  protected override beforeCreate (values: NewRow<typeof pages>) {
    Noting.calls.push(`before ${String(values.path)}`)
    return { ...values, title: 'by the hook' }
  }

  protected override afterCreate ({ path }: typeof pages.$inferSelect) { Noting.calls.push(`created ${path}`) }
  protected override afterUpdate ({ path, version }: typeof pages.$inferSelect) { Noting.calls.push(`updated ${path} ${version}`) }
}

t.test('calls the hooks of a class with the outcome of each row, and writes the values of the hooks', async (t) => {
  const repo = open(Noting)
  t.match(await repo.upsert({ path: 'a' }, { target: 'path' }), { row: { title: 'by the hook' } })
  await repo.upsertMany([{ path: 'a' }, { path: 'b' }], { target: 'path' })
  await repo.upsert({ path: 'a' }, { target: 'path', update: [] })
  await repo.getOrCreate({ path: 'b' })
  await repo.getOrCreate({ path: 'c' })
  await repo.createMany([{ path: 'd' }])
  t.same(Noting.calls, ['before a', 'created a', 'before a', 'before b', 'created b', 'updated a 2', 'before a', 'before c', 'created c', 'before d', 'created d'])
  t.equal((await repo.getByOrThrow({ path: 'd' })).title, 'by the hook')
})

t.test('writes the values of a hook even when a batch is sent one by one', async (t) => {
  const rows = Array.from({ length: 100 }, (_, n) => ({ path: `p${n}`, code: n === 99 ? '50.00' : String(n + 1) }))
  const results = await open(Noting).upsertMany(rows, { target: 'code' })
  t.same(results.map(({ row: { path, title } }) => [path, title]), rows.map(({ path }) => [path, 'by the hook']))
  t.equal(await repo.count(), 99)
})

t.test('writes writable columns only', async (t) => {
  const some = repo.writable(['path', 'title'])
  await t.rejects(some.upsert({ path: 'a', views: 1 } as never, { target: 'path' }), /"views" may not be written here/)
  await t.rejects(some.upsert({ path: 'a' }, { target: 'path', update: { views: 1 } as never }), /"views" may not be written here/)
  await t.rejects(some.getOrCreate({ path: 'a', views: 1 }), /"views" may not be written here/)
  t.match(
    await repo.writable(['path', 'title'], { others: 'drop' }).upsert({ path: 'a', title: 'x', ...{ views: 9 } }, { target: 'path' }),
    { row: { views: 0, title: 'x' } }
  )
})
