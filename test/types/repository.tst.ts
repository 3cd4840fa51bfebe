import { and, eq, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { integer, json, jsonb, numeric, pgMaterializedView, pgTable, pgView, primaryKey, serial, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { describe, expect, test } from 'tstyche'
import { softDelete, timestamps, version } from '../../src/model/columns.js'
import { Repository } from '../../src/repository/repository.js'
import type { Repositories } from '../../src/repository/repository-factory.js'
import type { RepositoryClass, RepositorySession } from '../../src/repository/repository.js'

const users = pgTable('users', {
  id: serial().primaryKey(),
  email: text().notNull(),
  name: text(),
  age: integer(),
  price: numeric(),
  token: uuid(),
  settings: jsonb().$type<{ theme: string }>(),
  raw: json(),
  number: integer().generatedAlwaysAsIdentity(),
  length: integer().generatedAlwaysAs(sql`length(email)`),
  ...timestamps()
})

const notes = pgTable('notes', { id: uuid().primaryKey().defaultRandom(), title: text().notNull(), ...softDelete(), ...version() })

const memberships = pgTable('memberships', { group: text(), member: integer(), at: timestamp() }, (table) => [
  primaryKey({ columns: [table.group, table.member] })
])

class UserRepository extends Repository.of(users) {
  findByEmail (email: string) {
    return this.getBy({ email })
  }
}

/** Each names another repository of its session. */
class NoteRepository extends Repository.of(notes) {
  byTable () { return this.repo(users).get(1) }
  bySession () { return this.session.repo(users).get(1) }
  byClass () { return this.repo(UserRepository).findByEmail('a') }
  inScope () { return this.session.transaction((scope) => scope.repo(UserRepository).findByEmail('a')) }
  tableItself () { return this.table }
}

const shared = <T extends PgTable>(table: T) => class extends Repository.of(table) {
  total () { return this.count() }
}

class SharedRepository extends shared(notes) {}

class Nameless extends Repository<typeof users> {}

type User = typeof users.$inferSelect
type Note = typeof notes.$inferSelect

declare const repositories: Repositories
declare const runner: RepositorySession

const repo = repositories.create(runner, users)
const noteRepo = repositories.create(runner, notes)
const memberRepo = repositories.create(runner, memberships)

describe('create of Repositories', () => {
  test('gives the repository of a table, or the instance of a class', () => {
    expect(repo).type.toBe<Repository<typeof users>>()
    expect(repositories.create(runner, UserRepository)).type.toBe<UserRepository>()
    expect(repositories.create(runner, UserRepository).findByEmail('a')).type.toBe<Promise<User | undefined>>()
  })
  test('refuses views and classes without a table', () => {
    const view = pgView('adults').as((query) => query.select().from(users))
    const materialized = pgMaterializedView('adults').as((query) => query.select().from(users))
    expect(repositories.create).type.not.toBeCallableWith(runner, view)
    expect(repositories.create).type.not.toBeCallableWith(runner, materialized)
    expect(repositories.create).type.not.toBeCallableWith(runner, Nameless)
    expect(repositories.create).type.not.toBeCallableWith(runner, 'users')
    expect(repositories.create).type.not.toBeCallableWith(runner, Date)
    expect(repositories.create).type.not.toBeCallableWith(runner, Repository)
    expect(repositories.create).type.not.toBeCallableWith(runner, { users })
    expect(repositories.create).type.not.toBeCallableWith(runner, undefined)
  })
})

describe('Repository.of', () => {
  test('is the one way to say which table a class is for', () => {
    class Mistaken extends Repository<typeof users> {
      static table = notes
    }
    expect(repositories.create).type.not.toBeCallableWith(runner, Mistaken)
    expect<Repository<typeof users>>().type.not.toBeAssignableFrom(noteRepo)
    expect<RepositoryClass<Repository<typeof users>>>().type.not.toBeAssignableFrom(Repository.of(notes))
    expect<RepositoryClass<Repository<typeof users>>>().type.toBeAssignableFrom(UserRepository)
    expect(repositories.create(runner, Repository.of(notes))).type.toBe<Repository<typeof notes>>()
    expect(repositories.create(runner, SharedRepository).total()).type.toBe<Promise<number>>()
    expect(repositories.create(runner, SharedRepository).get('x')).type.toBe<Promise<Note | undefined>>()
  })
  test('takes a table and the columns that callers may write', () => {
    const view = pgView('adults').as((query) => query.select().from(users))
    expect(Repository.of).type.not.toBeCallableWith(view)
    expect(Repository.of).type.not.toBeCallableWith(undefined)
    expect(Repository.of).type.not.toBeCallableWith({ users })
    expect(Repository.of).type.not.toBeCallableWith(users, { writable: ['nmae'] })
    expect(Repository.of).type.not.toBeCallableWith(users, { writable: ['number'] })
    expect(Repository.of).type.not.toBeCallableWith(notes, { writable: ['version'] })
    expect(Repository.of).type.not.toBeCallableWith(users, { writeable: ['name'] })
    expect(Repository.of(users, { writable: ['email', 'name'] })).type.toBe<RepositoryClass<Repository<typeof users, 'email' | 'name'>>>()
  })
  test('gives a class other repositories of its session, and its table', () => {
    const repo = repositories.create(runner, NoteRepository)
    expect(repo.byTable()).type.toBe<Promise<User | undefined>>()
    expect(repo.bySession()).type.toBe<Promise<User | undefined>>()
    expect(repo.byClass()).type.toBe<Promise<User | undefined>>()
    expect(repo.inScope()).type.toBe<Promise<User | undefined>>()
    expect(repo.tableItself()).type.toBe<typeof notes>()
  })
  test('keeps them from everybody else', () => {
    // @ts-expect-error Property 'repo' is protected
    noteRepo.repo(users)
    // @ts-expect-error Property 'session' is protected
    noteRepo.session.repo(users)
  })
})

describe('get', () => {
  test('takes the type of the primary key', () => {
    expect(repo.get(1)).type.toBe<Promise<User | undefined>>()
    expect(repo.getOrThrow(1)).type.toBe<Promise<User>>()
    expect(repo.get).type.not.toBeCallableWith('1')
    expect(repo.get).type.not.toBeCallableWith(undefined)
    expect(noteRepo.get).type.not.toBeCallableWith(1)
  })
  test('takes an object for a composite key', () => {
    expect(memberRepo.get).type.toBeCallableWith({ group: 'a', member: 1 })
    expect(memberRepo.get).type.not.toBeCallableWith({ group: 1, member: 1 })
    expect(memberRepo.get).type.not.toBeCallableWith({ group: 'a', membre: 1 })
    expect(memberRepo.get).type.not.toBeCallableWith(1)
  })
  test('narrows the row to the columns asked for', () => {
    expect(repo.get(1, { columns: ['id', 'name'] })).type.toBe<Promise<{ id: number, name: string | null } | undefined>>()
    expect(repo.getOrThrow(1, { columns: ['email'], lock: 'update' })).type.toBe<Promise<{ email: string }>>()
    expect(repo.get).type.not.toBeCallableWith(1, { columns: ['nope'] })
  })
  test('knows its options', () => {
    expect(repo.get).type.toBeCallableWith(1, { lock: { strength: 'noKeyUpdate', nowait: true } })
    expect(repo.get).type.not.toBeCallableWith(1, { lock: 'updat' })
    expect(repo.get).type.not.toBeCallableWith(1, { limit: 1 })
  })
})

describe('filters', () => {
  test('know the columns, their types and their operators', () => {
    expect(repo.getBy).type.toBeCallableWith({ email: 'x' })
    expect(repo.getBy).type.toBeCallableWith({ name: null, age: { gte: 1, lt: 9 }, id: { in: [1, 2] } })
    expect(repo.getBy).type.toBeCallableWith({ name: { contains: 'x' }, createdAt: { between: [new Date(), new Date()] } })
    expect(repo.getBy).type.toBeCallableWith({ or: [{ id: 1 }, sql`true`], not: { and: [{ age: { isNull: true } }] } })
    expect(repo.getBy).type.toBeCallableWith({ settings: { eq: { theme: 'dark' } }, raw: { isNull: true } })
  })
  test('tell columns called and, or, not from what joins filters', () => {
    const words = repositories.create(runner, pgTable('words', { id: serial().primaryKey(), and: text(), or: integer(), not: text().array() }))
    expect(words.getBy).type.toBeCallableWith({ and: 'a', or: { gte: 1 }, not: { arrayContains: ['x'] } })
    expect(words.getBy).type.toBeCallableWith({ and: [{ and: null }, sql`true`], or: [{ or: 1 }], not: { id: 1 } })
    expect(words.getBy).type.toBeCallableWith({ not: [{ id: 1 }] })
    expect(words.getBy).type.not.toBeCallableWith({ and: 1 })
    expect(words.getBy).type.not.toBeCallableWith({ or: { contains: 'x' } })
    expect(words.getBy).type.not.toBeCallableWith({ not: ['x'] })
    expect(repo.getBy).type.not.toBeCallableWith({ and: 'a' })
    expect(noteRepo.getBy).type.not.toBeCallableWith({ not: [{ title: 'x' }] })
  })
  test('refuse what is not theirs', () => {
    expect(repo.getBy).type.not.toBeCallableWith({ emial: 'x' })
    expect(repo.getBy).type.not.toBeCallableWith({ email: 1 })
    expect(repo.getBy).type.not.toBeCallableWith({ email: undefined })
    expect(repo.getBy).type.not.toBeCallableWith({ age: { like: 'x' } })
    expect(repo.getBy).type.not.toBeCallableWith({ price: { like: 'x' } })
    expect(repo.getBy).type.not.toBeCallableWith({ token: { contains: 'x' } })
    expect(repo.getBy).type.not.toBeCallableWith({ age: { equals: 1 } })
    expect(repo.getBy).type.not.toBeCallableWith({ age: { in: ['x'] } })
    expect(repo.getBy).type.not.toBeCallableWith({ age: { between: [1] } })
    expect(repo.getBy).type.not.toBeCallableWith({ or: [{ emial: 'x' }] })
    expect(repo.getBy).type.not.toBeCallableWith()
  })
  test('may be a Drizzle condition, which may be undefined', () => {
    expect(repo.filter).type.toBeCallableWith(eq(users.email, 'x'))
    expect(repo.filter).type.toBeCallableWith(and())
    expect(repo.count).type.toBeCallableWith(sql`true` as SQL)
  })
  test('are those of every method', () => {
    expect(repo.getBy({ id: 1 })).type.toBe<Promise<User | undefined>>()
    expect(repo.getByOrThrow({ id: 1 }, { columns: ['id'] })).type.toBe<Promise<{ id: number }>>()
    expect(repo.count({ id: 1 })).type.toBe<Promise<number>>()
    expect(repo.exists()).type.toBe<Promise<boolean>>()
    expect(repo.getByOrThrow).type.not.toBeCallableWith({ emial: 'x' })
    expect(repo.filter).type.not.toBeCallableWith({ emial: 'x' })
    expect(repo.first).type.not.toBeCallableWith({ emial: 'x' })
    expect(repo.count).type.not.toBeCallableWith({ emial: 'x' })
    expect(repo.exists).type.not.toBeCallableWith({ emial: 'x' })
    expect(repo.deleteMany).type.not.toBeCallableWith({ emial: 'x' })
    expect(repo.updateMany).type.not.toBeCallableWith({ emial: 'x' }, { name: 'x' })
  })
})

describe('lists', () => {
  test('have pages', () => {
    expect(repo.getAll()).type.toBe<Promise<User[]>>()
    expect(repo.getAll({ columns: ['id'], skip: 1, limit: 2, orderBy: { createdAt: 'desc', id: 'asc' } })).type.toBe<Promise<Array<{ id: number }>>>()
    expect(repo.filter({ id: 1 }, { orderBy: { age: { direction: 'desc', nulls: 'last' } }, lock: 'share' })).type.toBe<Promise<User[]>>()
    expect(repo.filter).type.toBeCallableWith({}, { orderBy: [users.id, sql`1`] })
    expect(repo.first({}, { orderBy: users.id })).type.toBe<Promise<User | undefined>>()
    expect(repo.getMany([1, 2])).type.toBe<Promise<User[]>>()
  })
  test('refuse other pages', () => {
    expect(repo.getAll).type.not.toBeCallableWith({ limit: '10' })
    expect(repo.getAll).type.not.toBeCallableWith({ offset: 10 })
    expect(repo.getAll).type.not.toBeCallableWith({ orderBy: { nope: 'asc' } })
    expect(repo.getAll).type.not.toBeCallableWith({ orderBy: { id: 'up' } })
    expect(repo.getAll).type.not.toBeCallableWith({ orderBy: 'id' })
    expect(repo.first).type.not.toBeCallableWith({}, { limit: 1 })
    expect(repo.getMany).type.not.toBeCallableWith(['1'])
  })
})

describe('writes', () => {
  test('take the columns of the table and give its rows', () => {
    expect(repo.create({ email: 'x', settings: { theme: 'dark' }, createdAt: sql`now()` })).type.toBe<Promise<User>>()
    expect(repo.createMany([{ email: 'x' }, { email: 'y', age: 1 }])).type.toBe<Promise<User[]>>()
    expect(repo.createMany([{ email: 'x' }], {})).type.toBe<Promise<User[]>>()
    expect(repo.createMany([{ email: 'x' }], { returning: true })).type.toBe<Promise<User[]>>()
    expect(repo.createMany([{ email: 'x' }], { returning: false })).type.toBe<Promise<number>>()
    expect(repo.createMany).type.not.toBeCallableWith([{ email: 'x' }], { returning: 'false' })
    expect(repo.createMany).type.not.toBeCallableWith([{ email: 'x' }], { returning: false, rows: 1 })
    expect(repo.createMany).type.not.toBeCallableWith([{ emial: 'x' }], { returning: false })
    expect(repo.update(1, { name: null, age: undefined })).type.toBe<Promise<User | undefined>>()
    expect(repo.updateOrThrow(1, {})).type.toBe<Promise<User>>()
    expect(repo.updateMany({ id: 1 }, { age: sql`${users.age} + 1` }, { all: true })).type.toBe<Promise<number>>()
    expect(repo.delete(1)).type.toBe<Promise<boolean>>()
    expect(repo.deleteOrThrow(1)).type.toBe<Promise<User>>()
    expect(repo.deleteMany({ id: 1 }, { all: false })).type.toBe<Promise<number>>()
  })
  test('take a variable of the type that Drizzle gives new rows, one with a version too', () => {
    const user = {} as typeof users.$inferInsert
    const note = {} as typeof notes.$inferInsert
    expect(repo.create).type.toBeCallableWith(user)
    expect(repo.createMany).type.toBeCallableWith([user])
    expect(repo.update).type.toBeCallableWith(1, user)
    expect(repo.updateMany).type.toBeCallableWith({ id: 1 }, user)
    expect(repo.upsert).type.toBeCallableWith(user)
    expect(repo.upsertMany).type.toBeCallableWith([user])
    expect(noteRepo.create).type.toBeCallableWith(note)
    expect(noteRepo.update).type.toBeCallableWith('x', note)
    expect(noteRepo.upsert).type.toBeCallableWith(note)
    expect(repo.create).type.not.toBeCallableWith({} as User)
  })
  test('want the required columns and refuse unknown ones', () => {
    expect(repo.create).type.not.toBeCallableWith({ id: 'x' })
    expect(repo.create).type.not.toBeCallableWith({})
    expect(repo.create).type.not.toBeCallableWith({ email: 'x', isAdmin: true })
    expect(repo.create).type.not.toBeCallableWith({ email: null })
    expect(repo.createMany).type.not.toBeCallableWith([{ name: 'x' }])
    expect(repo.createMany).type.not.toBeCallableWith({ email: 'x' })
    expect(repo.update).type.not.toBeCallableWith(1, { emial: 'x' })
    expect(repo.update).type.not.toBeCallableWith(1, { age: 'x' })
    expect(repo.update).type.not.toBeCallableWith('1', {})
    expect(repo.updateOrThrow).type.not.toBeCallableWith(1, { emial: 'x' })
    expect(repo.updateMany).type.not.toBeCallableWith({}, { age: 'x' })
    expect(repo.updateMany).type.not.toBeCallableWith({}, { age: 1 }, { every: true })
    expect(repo.delete).type.not.toBeCallableWith('1')
    expect(repo.deleteOrThrow).type.not.toBeCallableWith('1')
    expect(repo.deleteMany).type.not.toBeCallableWith()
  })
  test('refuse what PostgreSQL, or the package, writes by itself', () => {
    expect(repo.create).type.not.toBeCallableWith({ email: 'x', number: 1 })
    expect(repo.create).type.not.toBeCallableWith({ email: 'x', length: 1 })
    expect(repo.update).type.not.toBeCallableWith(1, { number: 1 })
    expect(repo.update).type.not.toBeCallableWith(1, { length: 1 })
    expect(noteRepo.create).type.not.toBeCallableWith({ title: 'x', version: 1 })
    expect(noteRepo.update).type.not.toBeCallableWith('x', { version: 1 })
  })
})

describe('soft deletion', () => {
  test('is there for tables with softDelete() alone', () => {
    expect(noteRepo.softDelete('x')).type.toBe<Promise<Note | undefined>>()
    expect(noteRepo.restore('x')).type.toBe<Promise<Note | undefined>>()
    expect(noteRepo.softDeleteOrThrow('x')).type.toBe<Promise<Note>>()
    expect(noteRepo.restoreOrThrow('x')).type.toBe<Promise<Note>>()
    expect(noteRepo.withDeleted()).type.toBe<Repository<typeof notes>>()
    expect(noteRepo.onlyDeleted().count()).type.toBe<Promise<number>>()
    // @ts-expect-error The 'this' context
    repo.softDelete(1)
    // @ts-expect-error The 'this' context
    repo.restore(1)
  })
})

describe('execute', () => {
  test('resolves as the session does', () => {
    expect(repo.execute<{ n: number }>(sql`select 1 as n`).then(({ rows }) => rows)).type.toBe<Promise<Array<{ n: number }>>>()
  })
})
