import { sql } from 'drizzle-orm'
import t from 'tap'
import { SerializationFailureError, UniqueViolationError, UsageError, ValidationError } from '../../../../src/errors/errors.js'
import { increment } from '../../../../src/repository/types/increment.js'
import { Repositories } from '../../../../src/repository/repository-factory.js'
import { TestRunner, openRepositories } from '../../../helpers/runner.js'
import { memberships, membershipsSql } from '../schema.js'
import { accounts, pages, slots, upsertSql } from './schema.js'
import type { Statement, StatementResult } from '../../../../src/statement/statement.js'

const opened = await openRepositories(t, upsertSql + membershipsSql)
const { repo: open, runner } = opened
const repo = open(pages)

t.beforeEach(async () => {
  await runner.client.query('rollback; truncate slots, pages, accounts, memberships restart identity')
  runner.statements.length = 0
  runner.transactions = 0
})

t.test('inserts a row, or changes the one with the same key, with one statement that is built once', async (t) => {
  const first = await repo.upsert({ path: '/', title: 'Home', slug: 'home' }, { target: 'path' })
  t.match(first, { created: true, row: { id: 1, path: '/', title: 'Home', views: 0, version: 1 } })

  const second = await repo.upsert({ path: '/', title: 'Start', slug: 'home' }, { target: ['path'] })
  t.match(second, { created: false, row: { id: 1, path: '/', title: 'Start', slug: 'home', version: 2, token: first.row.token } })
  t.ok(second.row.updatedAt >= first.row.updatedAt)
  t.same(second.row.createdAt, first.row.createdAt)
  t.equal(runner.statements.length, 2)
  t.equal(runner.statements[0]?.context, runner.statements[1]?.context, 'built once')
  t.ok(runner.statements[0]?.name)
})

t.test('finds rows by the primary key by default, also a composite one', async (t) => {
  const members = open(memberships)
  t.match(await members.upsert({ group: 'a', member: 1 }), { created: true, row: { role: 'guest' } })
  t.match(await members.upsert({ group: 'a', member: 1, role: 'owner' }), { created: false, row: { role: 'owner' } })
  t.match(await members.upsert({ group: 'a', member: 2, role: 'owner' }, { target: ['member', 'group'] }), { created: true })
  t.match(await members.upsert({ group: 'a', member: 2 }), { created: false, row: { role: 'owner' } }, 'and nothing given is nothing written')
})

t.test('finds rows by unique constraints and unique indexes, partial ones with their condition', async (t) => {
  const slot = open(slots)
  t.match(await slot.upsert({ name: 'a', site: null, slug: 'x', colour: 'red' }, { target: ['slug', 'site'] }), { created: true })
  t.match(await slot.upsert({ name: 'b', site: null, slug: 'x' }, { target: ['site', 'slug'] }), { created: false, row: { id: 1, name: 'b' } })
  t.match(await slot.upsert({ site: null, slug: 'x' }, { target: ['site', 'slug'] }), { created: false, row: { id: 1, name: 'b' } })
  t.match(await slot.upsert({ name: 'c', colour: null }, { target: 'colour' }), { created: true })
  t.match(await slot.upsert({ name: 'd', colour: null }, { target: 'colour' }), { created: false, row: { name: 'd' } })

  t.match(await repo.upsert({ path: 'c', code: '1.0', slug: 'c' }, { target: 'code' }), { created: true })
  t.match(await repo.upsert({ path: 'd', code: '1', slug: 'd' }, { target: 'code' }), { created: false, row: { path: 'd' } })
  t.match(await repo.upsert({ path: 'd', code: '1' }, { target: 'code', update: [] }), { created: false, row: { path: 'd' } })
  t.match(await repo.upsert({ path: 'e', code: '1', slug: 'e', shown: false }, { target: 'code' }), { created: true }, 'the partial index does not include this row')
})

t.test('refuses keys that are not unique, and rows without their key, before anything is sent', async (t) => {
  for (const target of ['title', 'site', ['path', 'slug'], [], 'nothing', 'constructor', 7]) {
    await t.rejects(repo.upsert({ path: 'a', site: 1 }, { target: target as never }), UsageError, String(target))
  }
  await t.rejects(repo.upsert({ path: 'a' }, { target: 'site' }), {
    message: /No unique key of "pages" consists of "site"/, context: { table: 'pages', columns: ['site'] }
  })
  await t.rejects(repo.upsert({ path: 'a' }), { code: 'DB_VALIDATION', message: /"id" identifies the row/ })
  await t.rejects(repo.upsert({ path: 'a', code: null }, { target: 'code' }), /"code" identifies the row/)
  for (const options of [{ tarjet: 'path' }, 'path', null, { deleted: 'revive' }, { deleted: 'x' }, { target: 'path', update: ['nope'] }]) {
    await t.rejects(repo.upsert({ path: 'a' }, options as never), UsageError)
  }
  for (const options of [{ target: 'path', where: { nope: 1 } }, { target: 'path', update: { version: 3 } }]) {
    await t.rejects(repo.upsert({ path: 'a' }, options as never), ValidationError)
  }
  await t.rejects(repo.upsert({ path: 1 } as never, { target: 'path' }), ValidationError)
  await t.rejects(repo.upsertMany({} as never), ValidationError)
  t.equal(runner.statements.length, 0)
})

t.test('writes the listed columns, or other values and SQL, into an existing row', async (t) => {
  await repo.upsert({ path: '/', title: 'Home', views: 1 }, { target: 'path' })
  t.match(
    await repo.upsert({ path: '/', title: 'x', views: 5 }, { target: 'path', update: ['views', 'slug'] }),
    { row: { title: 'Home', views: 5, slug: null, version: 2 } }
  )
  t.match(
    await repo.upsert({ path: '/', title: 'y' }, { target: 'path', update: { views: increment(2), title: sql`${pages.title} || excluded.title` } }),
    { created: false, row: { views: 7, title: 'Homey', version: 3 } }
  )
  t.match(await repo.upsert({ path: '/other', views: 3 }, { target: 'path', update: { views: increment(2) } }), { created: true, row: { views: 3 } })
  t.match(await repo.upsert({ path: '/', views: sql`1 + 1` }, { target: 'path' }), { row: { views: 2 } })
})

t.test('returns an existing row as it is when there is nothing to change, or "where" does not match', async (t) => {
  await repo.upsert({ path: '/', title: 'Home' }, { target: 'path' })
  const same = { created: false, row: { id: 1, title: 'Home', version: 1 } }
  t.match(await repo.upsert({ path: '/', title: 'x' }, { target: 'path', update: [] }), same)
  t.match(await repo.upsert({ path: '/', title: 'x' }, { target: 'path', update: {} }), same)
  t.match(await repo.upsert({ path: '/' }, { target: 'path' }), same)
  t.match(await repo.upsert({ path: '/', title: 'x' }, { target: 'path', where: { views: { gt: 5 } } }), same)
  t.match(await repo.upsert({ path: '/', title: 'x' }, { target: 'path', where: sql`excluded.views > 5` }), same)
  t.match(await repo.upsert({ path: '/', title: 'x' }, { target: 'path', where: { views: 0 } }), { created: false, row: { title: 'x', version: 2 } })
})

t.test('tells a new row from a locked one, and from one of the same transaction', async (t) => {
  const { row: { id } } = await repo.upsert({ path: '/' }, { target: 'path' })
  const { connectionString } = opened
  const { Client } = await import('pg')
  const other = new Client({ connectionString })
  await other.connect()
  t.teardown(() => other.end())
  await other.query('begin')
  await other.query('select from pages where id = $1 for key share', [id])
  t.match(await repo.upsert({ path: '/', title: 'x' }, { target: 'path' }), { created: false, row: { title: 'x' } })
  t.match(await repo.upsert({ path: '/', title: 'y' }, { target: 'path' }), { created: false, row: { title: 'y' } })
  await other.query('commit')

  await runner.client.query('begin')
  t.match(await repo.upsert({ path: 'new' }, { target: 'path' }), { created: true })
  t.match(await repo.upsert({ path: 'new', title: 'x' }, { target: 'path' }), { created: false })
  await runner.client.query('savepoint one')
  await runner.client.query('select from pages for update')
  t.match(await repo.upsert({ path: 'new', title: 'y' }, { target: 'path' }), { created: false })
  t.match(await repo.upsert({ path: 'newer' }, { target: 'path' }), { created: true })
  await runner.client.query('rollback')
})

t.test('never changes a deleted row silently', async (t) => {
  const repo = open(accounts)
  const { id } = await repo.create({ email: 'a', login: 'ada', name: 'Ada' })
  await repo.softDelete(id)

  await t.rejects(repo.upsert({ email: 'b', login: 'ada' }, { target: 'login' }), {
    name: 'UniqueViolationError', code: 'DB_UNIQUE_VIOLATION', context: { operation: 'upsert', table: 'accounts' }
  })
  await t.rejects(repo.upsert({ email: 'b', login: 'ada' }, { target: 'login', deleted: 'keep', update: [] }), UniqueViolationError)
  await t.rejects(repo.upsert({ id, email: 'b' }), UniqueViolationError)
  t.match(await repo.withDeleted().get(id), { email: 'a', version: 2 })

  t.match(
    await repo.withDeleted().upsert({ email: 'b', login: 'ada' }, { target: 'login' }),
    { created: false, row: { email: 'b', version: 3 } },
    'a visible deleted row is changed'
  )
  t.ok((await repo.withDeleted().get(id))?.deletedAt)

  const beside = await repo.upsert({ email: 'b', name: 'New' }, { target: 'email' })
  t.match(beside, { created: true, row: { name: 'New', deletedAt: null } }, 'a key that holds among live rows only creates another row')
  t.not(beside.row.id, id)
  t.match(await repo.upsert({ email: 'b', name: 'Newer' }, { target: 'email' }), { created: false, row: { id: beside.row.id, name: 'Newer' } })
  t.match(await repo.upsert({ email: 'b' }, { target: 'email' }), { created: false, row: { id: beside.row.id, version: 2 } })
  t.equal(runner.statements.at(-1)?.name === undefined, false)
})

t.test('restores a deleted row when that is requested', async (t) => {
  const repo = open(accounts)
  const { id } = await repo.create({ email: 'a', login: 'ada' })
  await repo.softDelete(id)
  const options = { target: 'login', deleted: 'revive' } as const
  t.match(await repo.upsert({ email: 'a', login: 'ada', name: 'Ada' }, options), { created: false, row: { id, name: 'Ada', deletedAt: null, version: 3 } })
  t.match(
    await repo.upsert({ email: 'a', login: 'ada' }, { ...options, update: [] }),
    { created: false, row: { id, version: 3 } },
    'a live row stays unchanged'
  )
  await repo.softDelete(id)
  t.match(await repo.upsert({ email: 'a', login: 'ada' }, { ...options, update: [] }), { created: false, row: { id, deletedAt: null, version: 5 } })
  await repo.softDelete(id)
  await t.rejects(repo.upsert({ email: 'a', login: 'ada' }, { ...options, where: { name: 'Eve' } }), UniqueViolationError, 'a condition can prevent that')
  await t.rejects(repo.upsert({ email: 'a' }, { target: 'email', deleted: 'revive' }), { message: /cannot be revived by a unique index/ })
})

t.test('tries again when the conflicting row disappears, and gives up in the end', async (t) => {
  let deletions = 0
  /** Deletes the row that the last statement conflicted with. */
  class Racing extends TestRunner {
    override async run<Row> (statement: Statement): Promise<StatementResult<Row>> {
      if (statement.kind === 'read' && deletions-- > 0) await this.client.query('truncate pages restart identity')
      const result = await super.run<Row>(statement)
      if (statement.kind === 'read' && deletions > 0) await this.client.query("insert into pages (path, title) values ('/', 'again')")
      return result
    }
  }
  const racing = new Racing(runner.client, new Repositories({ defaultLimit: 100, maxLimit: 1000 })).repo(pages)
  await repo.create({ path: '/', title: 'first' })
  deletions = 2
  t.match(await racing.upsert({ path: '/', title: 'x' }, { target: 'path', update: [] }), { created: true, row: { title: 'x' } })
  deletions = 1000
  await t.rejects(racing.upsert({ path: '/', title: 'x' }, { target: 'path', update: [] }), SerializationFailureError)
})
