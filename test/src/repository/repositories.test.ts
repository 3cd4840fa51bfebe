import { sql } from 'drizzle-orm'
import { integer, pgMaterializedView, pgSchema, pgTable, pgView } from 'drizzle-orm/pg-core'
import t from 'tap'
import { UsageError } from '../../../src/errors/errors.js'
import { Repository } from '../../../src/repository/repository.js'
import { openRepositories } from '../../helpers/runner.js'
import { notes, notesSql, users, usersSql } from './schema.js'

class UserRepository extends Repository<typeof users> {
  static table = users
  readonly greeting = 'Hello'

  findByEmail (email: string) {
    return this.getBy({ email })
  }

  async greet () {
    const { rows } = await this.session.execute<{ name: string }>(sql`select name from ${this.table} order by ${this.table.id}`)
    return `${this.greeting}, ${rows.map(({ name }) => name).join()}`
  }
}

class NoteRepository extends Repository<typeof notes> {
  static table = notes
  titles = async () => (await this.getAll()).map(({ title }) => title)
}

class SpecialUserRepository extends UserRepository {}

t.test('makes the repository of a table, and an instance of a class that names one', async (t) => {
  const { repo: open } = await openRepositories(t, usersSql + notesSql)
  await open(users).create({ email: 'a', name: 'Ada' })
  const repo = open(UserRepository)
  t.ok(repo instanceof UserRepository)
  t.equal((await repo.findByEmail('a'))?.name, 'Ada')
  t.equal(await repo.greet(), 'Hello, Ada')
  t.equal((await open(SpecialUserRepository).findByEmail('a'))?.name, 'Ada')
  t.equal(repo.constructor, UserRepository)
})

t.test('a subclass keeps its class and fields when it sees deleted rows', async (t) => {
  const { repo: open } = await openRepositories(t, notesSql)
  const repo = open(NoteRepository)
  const { id } = await repo.create({ title: 'x' })
  await repo.softDelete(id)
  t.same(await repo.titles(), [])
  t.same(await repo.withDeleted().titles(), ['x'])
  t.ok(repo.onlyDeleted() instanceof NoteRepository)
})

t.test('describes a table once, for itself and every class of it', async (t) => {
  const { repo: open, runner } = await openRepositories(t, usersSql)
  await open(users).count()
  await open(UserRepository).count()
  await open(UserRepository).count()
  const [first, ...rest] = runner.statements
  t.equal(rest.length, 2)
  for (const { context } of rest) t.equal(context, first?.context)
})

t.test('refuses what has no repository, by name and with the way out', async (t) => {
  const { repo: open } = await openRepositories(t, usersSql)
  class Nameless extends Repository<typeof users> {}
  class Unrelated { static table = users }
  const keyless = pgTable('keyless', { n: integer() })
  const view = pgView('adults').as((query) => query.select().from(users))
  const materialized = pgMaterializedView('kids').as((query) => query.select().from(users))

  t.throws(() => open(Nameless as never), { name: 'UsageError', message: /^Nameless does not say which table.*static table/ })
  t.throws(() => open(Unrelated as never), { name: 'UsageError', message: /^Unrelated is not a repository/ })
  t.throws(() => open(keyless), { name: 'UsageError', message: /"keyless" has no primary key/ })
  for (const source of [view, materialized, undefined, null, 'users', {}]) t.throws(() => open(source as never), UsageError)
})

t.test('writes names with their schema and casing', async (t) => {
  const table = pgSchema('shop').table('orderLines', { id: integer().primaryKey(), unitPrice: integer() })
  const { repo: open, runner } = await openRepositories(t, 'create schema shop; create table shop."orderLines" (id int primary key, unit_price int)', { casing: 'snake_case' })
  const repo = open(table)
  await repo.create({ id: 1, unitPrice: 3 })
  t.match(await repo.update(1, { unitPrice: 4 }), { id: 1, unitPrice: 4 })
  t.equal(await repo.count({ unitPrice: 4 }), 1)
  t.same(await repo.getMany([1]), [{ id: 1, unitPrice: 4 }])
  t.equal((await repo.first({}, { orderBy: { unitPrice: 'desc' }, lock: 'update' }))?.unitPrice, 4)
  t.equal(await repo.deleteMany({ unitPrice: { gt: 3 } }), 1)
  t.equal(runner.statements[0]?.context.table, 'shop.orderLines')
})
