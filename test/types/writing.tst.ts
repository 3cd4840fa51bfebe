import { sql } from 'drizzle-orm'
import { bigint, integer, numeric, pgTable, text } from 'drizzle-orm/pg-core'
import { describe, expect, test } from 'tstyche'
import { Repository, increment, softDelete, uniqueLive, version } from '../../src/index.js'
import type { Affected, Deletion, Increment, NewRow, Row, RowChanges, WritableRepository } from '../../src/index.js'
import type { Repositories } from '../../src/repository/repository-factory.js'
import type { RepositorySession } from '../../src/repository/repository.js'

const users = pgTable('users', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull(),
  email: text(),
  role: text().notNull().default('guest'),
  logins: integer().notNull().default(0),
  bytes: bigint({ mode: 'bigint' }),
  balance: numeric(),
  shout: text().generatedAlwaysAs(sql`upper(name)`),
  ...softDelete(),
  ...version()
}, (table) => [uniqueLive(table.email, table.name)])

const plain = pgTable('plain', { id: integer().primaryKey(), name: text() })

class UserRepository extends Repository.of(users, { writable: ['name', 'email'] }) {
  findByEmail (email: string) { return this.getBy({ email }) }
  promote (id: number) { return this.unrestricted().update(id, { role: 'admin', logins: increment(1) }) }
  rename (id: number, name: string) { return this.update(id, { name }) }
  protected override beforeCreate (values: NewRow<typeof users>) { return { ...values, role: 'new' } }
  protected override async beforeUpdate (values: RowChanges<typeof users>, which: Affected<typeof users>) {
    return which.id === undefined ? values : { ...values, role: 'changed' }
  }

  protected override beforeDelete (_which: Affected<typeof users>, { final }: Deletion) { if (final) throw new Error('kept') }
  protected override async afterCreate (row: Row<typeof users>) { await this.count({ id: row.id }) }
}

type User = typeof users.$inferSelect

declare const repositories: Repositories
declare const runner: RepositorySession

const repo = repositories.create(runner, users)
const ours = repositories.create(runner, UserRepository)
const row = {} as User

describe('values of an update', () => {
  test('may be increments of columns that hold numbers', () => {
    expect(repo.update).type.toBeCallableWith(1, { logins: increment(1), balance: increment('0.10'), bytes: increment(1n) })
    expect(repo.update).type.toBeCallableWith(1, { balance: increment(-1), bytes: increment(1) })
    expect(repo.updateMany).type.toBeCallableWith({ id: 1 }, { logins: increment(-1) })
    expect(increment(1)).type.toBe<Increment<number>>()
    expect(repo.update).type.not.toBeCallableWith(1, { name: increment(1) })
    expect(repo.update).type.not.toBeCallableWith(1, { logins: increment('1') })
    expect(repo.update).type.not.toBeCallableWith(1, { logins: increment(1n) })
    expect(repo.update).type.not.toBeCallableWith(1, { logins: { by: 1 } })
    expect(repo.create).type.not.toBeCallableWith({ name: 'x', logins: increment(1) })
    expect(increment).type.not.toBeCallableWith(true)
  })
  test('may be SQL', () => {
    expect(repo.update).type.toBeCallableWith(1, { logins: sql`${users.logins} * 2`, name: sql<string>`upper(${users.name})` })
  })
  test('are no generated columns and no version, not even in a variable that has them', () => {
    expect(repo.update).type.not.toBeCallableWith(1, { id: 2 })
    expect(repo.update).type.not.toBeCallableWith(1, { shout: 'X' })
    expect(repo.update).type.not.toBeCallableWith(1, { version: 2 })
    expect(repo.updateMany).type.not.toBeCallableWith({}, { version: increment(1) })
    expect(repo.update).type.not.toBeCallableWith(1, row)
    expect(repo.create).type.not.toBeCallableWith(row)
    expect(repo.update).type.toBeCallableWith(1, { name: row.name, email: row.email })
  })
})

describe('expectedVersion', () => {
  test('is a number, of tables with version() alone', () => {
    expect(repo.update(1, { name: 'x' }, { expectedVersion: row.version })).type.toBe<Promise<User | undefined>>()
    expect(repo.updateOrThrow(1, { name: 'x' }, { expectedVersion: 1 })).type.toBe<Promise<User>>()
    expect(repo.update).type.not.toBeCallableWith(1, {}, { expectedVersion: '1' })
    expect(repo.update).type.not.toBeCallableWith(1, {}, { expectedVersion: undefined })
    expect(repo.update).type.not.toBeCallableWith(1, {}, { version: 1 })
    expect(repositories.create(runner, plain).update).type.not.toBeCallableWith(1, {}, { expectedVersion: 1 })
  })
})

describe('purge', () => {
  test('wants to know how old, of tables with softDelete() alone', () => {
    expect(repo.purge({ olderThan: 30 })).type.toBe<Promise<number>>()
    expect(repo.purge({ olderThan: new Date() })).type.toBe<Promise<number>>()
    // @ts-expect-error Expected 1 arguments
    repo.purge()
    // @ts-expect-error is not assignable to type 'number | Date'
    repo.purge({ olderThan: '30 days' })
    // @ts-expect-error The 'this' context
    repositories.create(runner, plain).purge({ olderThan: 30 })
  })
})

describe('writable', () => {
  const narrow = repo.writable(['name', 'email'])
  const mine = ours.writable(['name'])

  test('leaves the columns named, for every method that takes values', () => {
    expect(narrow.create({ name: 'x' })).type.toBe<Promise<User>>()
    expect(narrow.update).type.toBeCallableWith(1, { email: null })
    expect(narrow.create).type.not.toBeCallableWith({ name: 'x', role: 'admin' })
    expect(narrow.create).type.not.toBeCallableWith({ email: 'x' })
    expect(narrow.createMany).type.not.toBeCallableWith([{ name: 'x', role: 'admin' }])
    expect(narrow.createMany).type.not.toBeCallableWith([{ name: 'x', role: 'admin' }], { returning: false })
    expect(narrow.createMany([{ name: 'x' }], { returning: false })).type.toBe<Promise<number>>()
    expect(narrow.update).type.not.toBeCallableWith(1, { role: 'admin' })
    expect(narrow.updateOrThrow).type.not.toBeCallableWith(1, { logins: increment(1) })
    expect(narrow.updateMany).type.not.toBeCallableWith({}, { role: 'admin' })
    expect(narrow.withDeleted().update).type.not.toBeCallableWith(1, { role: 'admin' })
    expect(narrow.onlyDeleted().update).type.toBeCallableWith(1, { name: 'x' })
  })
  test('refuses a body whose type has more, unless the rest is dropped', () => {
    const body = {} as { name: string, role: string }
    expect(narrow.create).type.not.toBeCallableWith(body)
    expect(repo.writable(['name'], { others: 'drop' }).create).type.toBeCallableWith(body)
    expect(repo.writable(['name'], { others: 'drop' }).update).type.toBeCallableWith(1, body)
  })
  test('is made less, never more, and names what can be written', () => {
    expect(narrow.writable).type.not.toBeCallableWith(['role'])
    expect(ours.writable).type.not.toBeCallableWith(['role'])
    expect(repo.writable).type.not.toBeCallableWith(['nope'])
    expect(repo.writable).type.not.toBeCallableWith(['id'])
    expect(repo.writable).type.not.toBeCallableWith(['version'])
    expect(repo.writable).type.not.toBeCallableWith(['name'], { others: 'ignore' })
  })
  test('keeps everything else', () => {
    expect(narrow.getOrThrow(1)).type.toBe<Promise<User>>()
    expect(narrow.get(1, { columns: ['id'] })).type.toBe<Promise<{ id: number } | undefined>>()
    expect(narrow.delete(1)).type.toBe<Promise<boolean>>()
    expect(narrow.softDelete(1)).type.toBe<Promise<User | undefined>>()
    expect(mine.restore(1)).type.toBe<Promise<User | undefined>>()
    expect(narrow.purge({ olderThan: 1 })).type.toBe<Promise<number>>()
    expect(mine.findByEmail('x')).type.toBe<Promise<User | undefined>>()
    expect(mine.withDeleted().findByEmail('x')).type.toBe<Promise<User | undefined>>()
    expect(mine).type.toBe<WritableRepository<UserRepository, typeof users, 'name', 'refuse'>>()
  })
})

describe('a class of one\'s own', () => {
  test('is typed through and through', () => {
    expect(ours).type.toBe<UserRepository>()
    expect(ours.withDeleted()).type.toBe<UserRepository>()
    expect(ours.promote(1)).type.toBe<Promise<User | undefined>>()
    expect(ours.create).type.toBeCallableWith({ name: 'x' })
    expect(ours.create).type.not.toBeCallableWith({ name: 'x', role: 'admin' })
    expect(ours.update).type.not.toBeCallableWith(1, { role: 'admin' })
    expect(ours).type.toBeAssignableTo<Repository<typeof users, 'name' | 'email'>>()
    expect(ours).type.toBeAssignableTo<Pick<Repository<typeof users>, 'getOrThrow'>>()
  })
  test('has hooks that nobody else can call', () => {
    // @ts-expect-error Property 'beforeCreate' is protected
    ours.beforeCreate({ name: 'x' })
    // @ts-expect-error Property 'unrestricted' is protected
    ours.unrestricted()
  })
  test('has hooks of the right types', () => {
    class Wrong extends Repository<typeof users> {
      // @ts-expect-error Property 'beforeCreate' in type 'Wrong' is not assignable
      protected override beforeCreate () { return { nope: 1 } }
      // @ts-expect-error Property 'afterCreate' in type 'Wrong' is not assignable
      protected override afterCreate (row: string) { return row }
    }
    expect<Wrong>().type.toBeAssignableTo<object>()
  })
  test('can be faked by an object with the methods that are used', () => {
    const greet = async (users: Pick<UserRepository, 'findByEmail' | 'rename'>): Promise<string> => (await users.findByEmail('x'))?.name ?? 'nobody'
    expect(greet).type.toBeCallableWith(ours)
    expect(greet).type.toBeCallableWith({ findByEmail: async () => row, rename: async () => undefined })
    expect(greet).type.not.toBeCallableWith({ findByEmail: async () => ({ name: 'Ada' }), rename: async () => undefined })
  })
})
