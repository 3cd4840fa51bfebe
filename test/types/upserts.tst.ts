import { sql } from 'drizzle-orm'
import { integer, pgTable, serial, text, uuid } from 'drizzle-orm/pg-core'
import { describe, expect, test } from 'tstyche'
import { softDelete, version } from '../../src/model/columns.js'
import { increment } from '../../src/repository/types/increment.js'
import type { Repositories } from '../../src/repository/repository-factory.js'
import type { RepositorySession } from '../../src/repository/repository.js'

const users = pgTable('users', { id: serial().primaryKey(), email: text().notNull().unique(), name: text(), age: integer() })
const notes = pgTable('notes', { id: uuid().primaryKey().defaultRandom(), slug: text().notNull().unique(), title: text().notNull(), ...softDelete(), ...version() })

type User = typeof users.$inferSelect

declare const repositories: Repositories
declare const runner: RepositorySession

const repo = repositories.create(runner, users)
const noteRepo = repositories.create(runner, notes)

describe('upsert', () => {
  test('gives the row, and whether it was made', () => {
    expect(repo.upsert({ email: 'x' }, { target: 'email' })).type.toBe<Promise<{ readonly row: User, readonly created: boolean }>>()
    expect(repo.upsertMany([{ email: 'x' }, { email: 'y', age: 1 }])).type.toBe<Promise<Array<{ readonly row: User, readonly created: boolean }>>>()
  })
  test('takes what create takes', () => {
    expect(repo.upsert).type.toBeCallableWith({ id: 1, email: 'x', age: sql`1 + 1` })
    expect(repo.upsert).type.not.toBeCallableWith({ name: 'x' })
    expect(repo.upsert).type.not.toBeCallableWith({ email: 'x', isAdmin: true })
    expect(repo.upsert).type.not.toBeCallableWith({ email: 'x', age: increment(1) })
    expect(noteRepo.upsert).type.not.toBeCallableWith({ slug: 'x', title: 'x', version: 2 })
    expect(repo.upsertMany).type.not.toBeCallableWith({ email: 'x' })
    expect(repo.upsertMany).type.not.toBeCallableWith([{ name: 'x' }])
  })
  test('finds by columns of the table', () => {
    expect(repo.upsert).type.toBeCallableWith({ email: 'x' }, { target: ['email', 'name'] })
    expect(repo.upsert).type.not.toBeCallableWith({ email: 'x' }, { target: 'emial' })
    expect(repo.upsert).type.not.toBeCallableWith({ email: 'x' }, { target: ['emial'] })
    expect(repo.upsert).type.not.toBeCallableWith({ email: 'x' }, { tarjet: 'email' })
  })
  test('updates columns of the table, with values of their types', () => {
    expect(repo.upsert).type.toBeCallableWith({ email: 'x' }, { update: ['name'] })
    expect(repo.upsert).type.toBeCallableWith({ email: 'x' }, { update: { name: null, age: increment(1) }, where: { age: { gt: 1 } } })
    expect(repo.upsert).type.toBeCallableWith({ email: 'x' }, { update: { age: sql`excluded.age + 1` }, where: sql`excluded.age > 1` })
    expect(repo.upsert).type.not.toBeCallableWith({ email: 'x' }, { update: ['nope'] })
    expect(repo.upsert).type.not.toBeCallableWith({ email: 'x' }, { update: { age: 'x' } })
    expect(repo.upsert).type.not.toBeCallableWith({ email: 'x' }, { update: { nope: 1 } })
    expect(repo.upsert).type.not.toBeCallableWith({ email: 'x' }, { where: { nope: 1 } })
    expect(noteRepo.upsert).type.not.toBeCallableWith({ slug: 'x', title: 'x' }, { update: { version: 1 } })
  })
  test('knows deleted rows on tables that have them', () => {
    expect(noteRepo.upsert).type.toBeCallableWith({ slug: 'x', title: 'x' }, { target: 'slug', deleted: 'revive' })
    expect(noteRepo.upsertMany).type.toBeCallableWith([{ slug: 'x', title: 'x' }], { target: 'slug', deleted: 'keep' })
    expect(noteRepo.upsert).type.not.toBeCallableWith({ slug: 'x', title: 'x' }, { deleted: 'insert' })
    expect(repo.upsert).type.not.toBeCallableWith({ email: 'x' }, { deleted: 'revive' })
  })
  test('writes what is writable', () => {
    const some = repo.writable(['email', 'name'])
    expect(some.upsert).type.toBeCallableWith({ email: 'x', name: 'x' }, { target: 'email', update: { name: 'y' } })
    expect(some.upsert).type.not.toBeCallableWith({ email: 'x', age: 1 })
    expect(some.upsertMany).type.not.toBeCallableWith([{ email: 'x', age: 1 }])
    expect(some.upsert).type.not.toBeCallableWith({ email: 'x' }, { update: { age: 1 } })
    expect(some.getOrCreate).type.not.toBeCallableWith({ email: 'x' }, { age: 1 })
  })
})

describe('getOrCreate', () => {
  test('gives the row, and whether it was made', () => {
    expect(repo.getOrCreate({ email: 'x' })).type.toBe<Promise<{ readonly row: User, readonly created: boolean }>>()
    expect(repo.getOrCreate({ email: 'x', age: { gt: 1 } }, { name: 'x' })).type.toBe<Promise<{ readonly row: User, readonly created: boolean }>>()
  })
  test('wants what the filter does not say', () => {
    expect(noteRepo.getOrCreate).type.toBeCallableWith({ slug: 'x' }, { title: 'x' })
    expect(noteRepo.getOrCreate).type.toBeCallableWith({ slug: 'x', title: 'x' })
    expect(noteRepo.getOrCreate).type.not.toBeCallableWith({ slug: 'x' })
    expect(noteRepo.getOrCreate).type.not.toBeCallableWith({ slug: 'x' }, {})
    expect(noteRepo.getOrCreate).type.not.toBeCallableWith({ slug: 'x' }, { title: 1 })
  })
  test('refuses other columns, and the same twice', () => {
    expect(repo.getOrCreate).type.not.toBeCallableWith({ emial: 'x' }, { email: 'x' })
    expect(repo.getOrCreate).type.not.toBeCallableWith({ email: 1 })
    expect(repo.getOrCreate).type.not.toBeCallableWith({ email: 'x' }, { nope: 1 })
    expect(repo.getOrCreate).type.not.toBeCallableWith({ email: 'x' }, { email: 'y' })
    expect(repo.getOrCreate).type.not.toBeCallableWith(sql`true`)
  })
})
