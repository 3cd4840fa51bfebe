import { sql } from 'drizzle-orm'
import { customType, integer, json, jsonb, pgTable, primaryKey, serial, text, timestamp } from 'drizzle-orm/pg-core'
import { Type } from '@sinclair/typebox'
import { describe, expect, test } from 'tstyche'
import { listQuery } from '../../src/repository/list-query/list-query.js'
import type { JsonText } from '../../src/repository/json/json-text.js'
import type { CursorPage, CursorResult, NumberedPage, Paginated } from '../../src/repository/types/read-options.js'
import type { Repositories } from '../../src/repository/repository-factory.js'
import type { Filter, Page } from '../../src/repository/types/filters.js'
import type { RepositorySession } from '../../src/repository/repository.js'

const users = pgTable('users', {
  id: serial().primaryKey(),
  email: text().notNull(),
  age: integer(),
  tags: text().array().notNull(),
  scores: integer().array(),
  settings: jsonb().$type<{ theme: string, sizes: number[], deep: { on: boolean } }>(),
  raw: json(),
  createdAt: timestamp().notNull()
})

const lowered = customType<{ data: string }>({ dataType: () => 'text' })
const money = customType<{ data: { cents: number } }>({ dataType: () => 'numeric' })
const people = pgTable('people', { id: integer().primaryKey(), email: lowered().notNull(), nick: lowered(), wage: money() })
const memberships = pgTable('memberships', { group: text(), member: integer() }, (table) => [primaryKey({ columns: [table.group, table.member] })])

type User = typeof users.$inferSelect

declare const repositories: Repositories
declare const runner: RepositorySession
declare const query: unknown

const repo = repositories.create(runner, users)

describe('containment', () => {
  test('of arrays is there for arrays alone, with their elements', () => {
    expect(repo.filter).type.toBeCallableWith({ tags: { arrayContains: ['a'], arrayContained: [], arrayOverlaps: ['b'] } })
    expect(repo.filter).type.toBeCallableWith({ scores: { arrayOverlaps: [1] } })
    expect(repo.filter).type.not.toBeCallableWith({ tags: { arrayContains: [1] } })
    expect(repo.filter).type.not.toBeCallableWith({ tags: { arrayContains: 'a' } })
    expect(repo.filter).type.not.toBeCallableWith({ email: { arrayContains: ['a'] } })
    expect(repo.filter).type.not.toBeCallableWith({ age: { arrayOverlaps: [1] } })
    expect(repo.filter).type.not.toBeCallableWith({ tags: { contains: 'a' } })
    expect(repo.filter).type.not.toBeCallableWith({ tags: { jsonContains: ['a'] } })
  })
  test('of documents is there for jsonb alone, with parts of its type', () => {
    expect(repo.filter).type.toBeCallableWith({ settings: { jsonContains: { theme: 'dark' } } })
    expect(repo.filter).type.toBeCallableWith({ settings: { jsonContains: { sizes: [1], deep: {} } } })
    expect(repo.filter).type.toBeCallableWith({ settings: { jsonContained: { theme: 'dark', sizes: [], deep: { on: true } } } })
    expect(repo.filter).type.not.toBeCallableWith({ settings: { jsonContains: { theme: 1 } } })
    expect(repo.filter).type.not.toBeCallableWith({ settings: { jsonContains: { them: 'dark' } } })
    expect(repo.filter).type.not.toBeCallableWith({ email: { jsonContains: {} } })
    expect(repo.filter).type.not.toBeCallableWith({ settings: { arrayContains: [] } })
  })
  test('of text is there for text alone', () => {
    expect(repo.filter).type.toBeCallableWith({ email: { like: 'x', ilike: 'x', contains: 'x', startsWith: 'x', endsWith: 'x' } })
    expect(repo.filter).type.not.toBeCallableWith({ age: { like: 'x' } })
    expect(repo.filter).type.not.toBeCallableWith({ createdAt: { contains: 'x' } })
    expect(repo.filter).type.not.toBeCallableWith({ settings: { like: 'x' } })
  })
})

describe('paginate', () => {
  test('gives pages of rows, narrowed to the columns asked for', () => {
    expect(repo.paginate()).type.toBe<Promise<Paginated<User>>>()
    expect(repo.paginate({ age: { gt: 1 } }, { page: 2, limit: 10, orderBy: { age: 'asc' }, columns: ['id'] })).type.toBe<Promise<Paginated<{ id: number }>>>()
    expect(repo.paginate).type.toBeCallableWith(sql`true`, { orderBy: [users.id, sql`1`] })
  })
  test('refuses what is no page of its own', () => {
    expect(repo.paginate).type.not.toBeCallableWith({ emial: 'x' })
    expect(repo.paginate).type.not.toBeCallableWith({}, { page: '1' })
    expect(repo.paginate).type.not.toBeCallableWith({}, { skip: 1 })
    expect(repo.paginate).type.not.toBeCallableWith({}, { lock: 'update' })
    expect(repo.paginate).type.not.toBeCallableWith({}, { after: 'x' })
    expect(repo.paginate).type.not.toBeCallableWith({}, { orderBy: { nope: 'asc' } })
    expect(repo.paginate).type.not.toBeCallableWith({}, { columns: ['nope'] })
  })
})

describe('cursor', () => {
  test('gives rows and two cursors', () => {
    expect(repo.cursor()).type.toBe<Promise<CursorResult<User>>>()
    expect(repo.cursor({ age: 1 }, { after: 'x', limit: 10, orderBy: { createdAt: 'desc', age: { direction: 'asc', nulls: 'first' } }, columns: ['age'] }))
      .type.toBe<Promise<CursorResult<{ age: number | null }>>>()
    expect(repo.cursor).type.toBeCallableWith({}, { after: undefined, before: undefined })
    expect(repositories.create(runner, memberships).cursor).type.toBeCallableWith({}, { orderBy: { group: 'asc' } })
  })
  test('orders by columns alone, and has no numbers of pages', () => {
    expect(repo.cursor).type.not.toBeCallableWith({}, { orderBy: users.id })
    expect(repo.cursor).type.not.toBeCallableWith({}, { orderBy: sql`1` })
    expect(repo.cursor).type.not.toBeCallableWith({}, { orderBy: { id: 'up' } })
    expect(repo.cursor).type.not.toBeCallableWith({}, { page: 2 })
    expect(repo.cursor).type.not.toBeCallableWith({}, { after: 5 })
    expect(repo.cursor).type.not.toBeCallableWith({ emial: 'x' })
  })
})

describe('stream', () => {
  test('gives rows one by one', () => {
    expect(repo.stream()).type.toBe<AsyncGenerator<User, void, undefined>>()
    expect(repo.stream({ age: 1 }, { batchSize: 10, orderBy: { id: 'desc' }, columns: ['id', 'tags'] })).type.toBe<AsyncGenerator<{ id: number, tags: string[] }, void, undefined>>()
    expect(repo.stream).type.not.toBeCallableWith({ emial: 'x' })
    expect(repo.stream).type.not.toBeCallableWith({}, { batchSize: '10' })
    expect(repo.stream).type.not.toBeCallableWith({}, { limit: 10 })
    expect(repo.stream).type.not.toBeCallableWith({}, { lock: 'update' })
  })
})

describe('locks', () => {
  test('are those of PostgreSQL', () => {
    expect(repo.first).type.toBeCallableWith({}, { lock: 'update' })
    expect(repo.first).type.toBeCallableWith({}, { lock: 'noKeyUpdate' })
    expect(repo.first).type.toBeCallableWith({}, { lock: 'share' })
    expect(repo.first).type.toBeCallableWith({}, { lock: 'keyShare' })
    expect(repo.filter).type.toBeCallableWith({}, { lock: { strength: 'update', skipLocked: true } })
    expect(repo.getBy).type.toBeCallableWith({ id: 1 }, { lock: { strength: 'share', nowait: true } })
    expect(repo.getAll).type.not.toBeCallableWith({ lock: 'exclusive' })
    expect(repo.getAll).type.not.toBeCallableWith({ lock: { nowait: true } })
    expect(repo.getAll).type.not.toBeCallableWith({ lock: { strength: 'update', wait: 1 } })
  })
})

describe('listQuery', () => {
  const list = listQuery(users, { filterable: { email: ['eq', 'contains'], age: ['gte'] }, sortable: ['createdAt'], searchable: ['email'], maxLimit: 100 })

  test('gives what the methods of the repository take', () => {
    expect(list.filter(query)).type.toBe<[filter: Filter<typeof users>, page: Page<typeof users>]>()
    expect(list.paginate(query)).type.toBe<[filter: Filter<typeof users>, page: NumberedPage<typeof users>]>()
    expect(list.cursor(query)).type.toBe<[filter: Filter<typeof users>, page: CursorPage<typeof users>]>()
    expect(repo.cursor(...list.cursor(query))).type.toBe<Promise<CursorResult<User>>>()
    expect(repo.paginate(...list.paginate(query))).type.toBe<Promise<Paginated<User>>>()
    expect(repo.filter(...list.filter(query))).type.toBe<Promise<User[]>>()
  })
  test('takes a scope of the columns of the table, and none that may be undefined', () => {
    expect(list.cursor(query, { where: { age: 7 } })).type.toBe<[filter: Filter<typeof users>, page: CursorPage<typeof users>]>()
    for (const method of [list.filter, list.paginate, list.cursor]) {
      expect(method).type.toBeCallableWith(query, { where: { settings: { isNull: true }, or: [{ email: 'a' }, { age: { gt: 1 } }] } })
      expect(method).type.toBeCallableWith(query, { where: sql`true` })
      expect(method).type.not.toBeCallableWith(query, { where: { aeg: 7 } })
      expect(method).type.not.toBeCallableWith(query, { where: { age: 'seven' } })
      expect(method).type.not.toBeCallableWith(query, { where: undefined })
      expect(method).type.not.toBeCallableWith(query, {})
      expect(method).type.not.toBeCallableWith(query, undefined)
    }
  })
  test('knows the columns and their operators', () => {
    expect(listQuery<typeof users>).type.toBeCallableWith(users, { filterable: ['email', 'age', 'createdAt', 'id'] })
    expect(listQuery<typeof users>).type.not.toBeCallableWith(users, { filterable: ['emial'] })
    expect(listQuery<typeof users>).type.not.toBeCallableWith(users, { filterable: ['settings'] })
    expect(listQuery<typeof users>).type.not.toBeCallableWith(users, { filterable: ['tags'] })
    expect(listQuery<typeof users>).type.not.toBeCallableWith(users, { filterable: { age: ['contains'] } })
    expect(listQuery<typeof users>).type.not.toBeCallableWith(users, { filterable: { email: ['like'] } })
    expect(listQuery<typeof users>).type.not.toBeCallableWith(users, { filterable: { emial: ['eq'] } })
    expect(listQuery<typeof users>).type.not.toBeCallableWith(users, { sortable: ['emial'] })
    expect(listQuery<typeof people>).type.toBeCallableWith(people, { filterable: { email: ['eq', 'in'], nick: ['isNull'] }, sortable: ['email'] })
    expect(listQuery<typeof people>).type.not.toBeCallableWith(people, { filterable: ['wage'] })
    expect(listQuery<typeof people>).type.not.toBeCallableWith(people, { filterable: { email: ['contains'] } })
    expect(listQuery<typeof people>).type.not.toBeCallableWith(people, { searchable: ['email'] })
    expect(listQuery<typeof users>).type.not.toBeCallableWith(users, { sortable: ['settings'] })
    expect(listQuery<typeof users>).type.not.toBeCallableWith(users, { searchable: ['age'] })
    expect(listQuery<typeof users>).type.not.toBeCallableWith(users, { maxLimit: '100' })
    expect(listQuery<typeof users>).type.not.toBeCallableWith(users, { filterables: [] })
    expect(listQuery<typeof users>).type.not.toBeCallableWith(users, { pages: 'both' })
  })
})

describe('json', () => {
  test('takes the schema of a row, whose properties are columns', () => {
    expect(repo.json).type.toBeCallableWith()
    expect(repo.json).type.toBeCallableWith({ type: 'object', properties: { id: { type: 'integer' }, email: { type: 'string' } } })
    expect(repo.json).type.toBeCallableWith(Type.Object({ id: Type.Integer(), createdAt: Type.String({ format: 'date-time' }) }))
    expect(repo.json).type.toBeCallableWith({ properties: {} as Record<string, object> })
    expect(repo.json).type.not.toBeCallableWith({ type: 'object', properties: { mail: { type: 'string' } } })
    expect(repo.json).type.not.toBeCallableWith(Type.Object({ posts: Type.Array(Type.Any()) }))
    expect(repo.json).type.not.toBeCallableWith({ type: 'array', items: {} })
  })
  test('has the options of the repository but columns, and gives text', () => {
    expect(repo.json().getAll({ limit: 20, orderBy: { email: 'asc' } })).type.toBe<Promise<JsonText>>()
    expect(repo.json().get(1, { lock: 'share' })).type.toBe<Promise<JsonText | undefined>>()
    expect(repo.json().getAll).type.not.toBeCallableWith({ columns: ['id'] })
    expect(repo.json().filter).type.not.toBeCallableWith({ mail: 'ada@example.com' })
    expect(repo.json()).type.not.toHaveProperty('create')
  })
})
