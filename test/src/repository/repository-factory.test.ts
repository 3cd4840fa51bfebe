import { sql } from 'drizzle-orm'
import { integer, pgMaterializedView, pgTable, pgView } from 'drizzle-orm/pg-core'
import type { PgTable } from 'drizzle-orm/pg-core'
import t from 'tap'
import { UsageError } from '../../../src/errors/errors.js'
import { Repository } from '../../../src/repository/repository.js'
import { snakeCase, snakeCaseSchema } from '../../helpers/drizzle.js'
import { openRepositories } from '../../helpers/runner.js'
import { notes, notesSql, users, usersSql } from './schema.js'

class UserRepository extends Repository.of(users) {
  readonly greeting = 'Hello'

  findByEmail (email: string) {
    return this.getBy({ email })
  }

  async greet () {
    const { rows } = await this.session.execute<{ name: string }>(sql`select name from ${this.table} order by ${this.table.id}`)
    return `${this.greeting}, ${rows.map(({ name }) => name).join()}`
  }
}

class NoteRepository extends Repository.of(notes) {
  titles = async () => (await this.getAll({ orderBy: { title: 'asc' } })).map(({ title }) => title)
}

class SpecialUserRepository extends UserRepository {
  async note (title: string) {
    await this.repo(notes).create({ title })
    await this.session.repo(NoteRepository).create({ title: `${title}!` })
    return this.repo(NoteRepository).titles()
  }

  noteAndFail (title: string) {
    return this.session.transaction(async (scope) => {
      await scope.repo(notes).create({ title })
      throw new Error('undo')
    })
  }
}

/** A base class of several repositories. */
function counted<T extends PgTable> (table: T) {
  return class extends Repository.of(table) {
    total () { return this.count() }
  }
}

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

t.test('a class can use other repositories of its session', async (t) => {
  const { repo: open, runner } = await openRepositories(t, usersSql + notesSql)
  const repo = open(SpecialUserRepository)
  t.same(await repo.note('x'), ['x', 'x!'])
  await t.rejects(repo.noteAndFail('y'), /undo/)
  t.equal(runner.transactions, 1)
  t.equal(await open(notes).count(), 2)
})

t.test('Repository.of(table) can be used as it is, and extended by a function', async (t) => {
  const { repo: open } = await openRepositories(t, usersSql + notesSql)
  await open(Repository.of(users)).create({ email: 'a', name: 'Ada' })
  t.equal(await open(counted(users)).total(), 1)
  t.equal(await open(class extends counted(notes) {}).total(), 0)
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

t.test('describes a table once, for itself and all its classes', async (t) => {
  const { repo: open, runner } = await openRepositories(t, usersSql)
  await open(users).count()
  await open(UserRepository).count()
  await open(UserRepository).count()
  const [first, ...rest] = runner.statements
  t.equal(rest.length, 2)
  for (const { context } of rest) t.equal(context, first?.context)
})

t.test('refuses anything without a repository, by name and with the way out', async (t) => {
  const { repo: open } = await openRepositories(t, usersSql)
  class Nameless extends Repository<typeof users> {}
  class Unrelated { count () { return 0 } }
  const keyless = pgTable('keyless', { n: integer() })
  const view = pgView('adults').as((query) => query.select().from(users))
  const materialized = pgMaterializedView('kids').as((query) => query.select().from(users))

  for (const source of [Nameless, Unrelated, Repository]) {
    t.throws(() => open(source as never), {
      name: 'UsageError', message: `${source.name} is no repository class: write "class … extends Repository.of(table)", or ask for the table itself`
    })
  }
  t.throws(() => open((() => users) as never), { name: 'UsageError', message: /^A function without a name is no repository class/ })
  t.throws(() => open(keyless), { name: 'UsageError', message: /"keyless" has no primary key/ })
  for (const source of [view, materialized, undefined, null, 'users', {}]) t.throws(() => open(source as never), UsageError)
})

t.test('refuses to make a class from a value that is not a table, or with an unknown option', (t) => {
  const view = pgView('adults').as((query) => query.select().from(users))
  for (const table of [undefined, null, 0, '', 'users', [], {}, () => users, Symbol('users'), { users }, Promise.resolve(users)]) {
    t.throws(() => Repository.of(table as never), { name: 'UsageError', message: /^A table made by pgTable/ })
  }
  t.throws(() => Repository.of(view as never), { name: 'UsageError', message: /^View "adults"/ })
  for (const options of [null, 0, '', 'name', [], ['name'], () => ['name'], Symbol('name')]) {
    t.throws(() => Repository.of(users, options as never), { name: 'UsageError', message: 'The options of Repository.of() must be an object of writable' })
  }
  for (const [option, options] of Object.entries({ writeable: { writeable: ['name'] }, others: { writable: ['name'], others: 'drop' } })) {
    t.throws(() => Repository.of(users, options as never), { name: 'UsageError', message: `"${option}" of Repository.of() is not an option: use writable` })
  }
  t.end()
})

t.test('"new" does not make a repository', (t) => {
  for (const context of [undefined, null, 0, '', [], {}, () => {}, users, { statements: {} }]) {
    for (const Class of [Repository, UserRepository, Repository.of(users)]) {
      t.throws(() => new Class(context as never), { name: 'UsageError', message: /^A repository is not made by "new": request\.repo\(table\)/ })
    }
  }
  t.end()
})

t.test('writes names with their schema and casing', async (t) => {
  const table = snakeCaseSchema('shop').table('orderLines', { id: integer().primaryKey(), unitPrice: integer() })
  const { repo: open, runner } = await openRepositories(
    t,
    'create schema shop; create table shop."orderLines" (id int primary key, unit_price int)',
    snakeCase
  )
  const repo = open(table)
  await repo.create({ id: 1, unitPrice: 3 })
  t.match(await repo.update(1, { unitPrice: 4 }), { id: 1, unitPrice: 4 })
  t.equal(await repo.count({ unitPrice: 4 }), 1)
  t.same(await repo.getMany([1]), [{ id: 1, unitPrice: 4 }])
  t.equal((await repo.first({}, { orderBy: { unitPrice: 'desc' }, lock: 'update' }))?.unitPrice, 4)
  t.equal(await repo.deleteMany({ unitPrice: { gt: 3 } }), 1)
  t.equal(runner.statements[0]?.context.table, 'shop.orderLines')
})
