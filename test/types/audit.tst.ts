import { bigint, integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import { describe, expect, test } from 'tstyche'
import { audit } from '../../src/audit/audit.js'
import type { Repositories } from '../../src/repository/repository-factory.js'
import type { RepositorySession } from '../../src/repository/repository.js'

const users = pgTable('users', { id: integer().primaryKey(), name: text().notNull(), born: timestamp(), big: bigint({ mode: 'bigint' }).notNull() })
const usersHistory = audit(users, { mask: ['name'], ignore: ['born'], tenant: 'big' })

declare const repositories: Repositories
declare const runner: RepositorySession

describe('audit()', () => {
  test('takes the columns of its table', () => {
    expect(audit).type.toBeCallableWith(users, { mask: ['name'] })
    expect(audit).type.not.toBeCallableWith(users, { mask: ['nope'] })
    expect(audit).type.not.toBeCallableWith(users, { tenant: 'nope' })
    expect(audit).type.not.toBeCallableWith(users, { settings: { who: 'app.who' } })
  })
  test('returns a table with typed columns', () => {
    type Row = typeof usersHistory.$inferSelect
    expect<Row['id']>().type.toBe<number>()
    expect<Row['at']>().type.toBe<Date>()
    expect<Row['operation']>().type.toBe<'insert' | 'update' | 'delete' | 'truncate'>()
    expect<Row['changed']>().type.toBe<string[]>()
    expect<Row['before']>().type.toBe<Record<string, string | null> | null>()
    expect<Row['actor']>().type.toBe<string | null>()
    expect<Row['databaseUser']>().type.toBe<string>()
    const history = repositories.create(runner, usersHistory)
    expect(history.get).type.toBeCallableWith(1)
    expect(history.filter).type.toBeCallableWith({ actor: 'ada', operation: 'delete', at: { gte: new Date() } })
    expect(history.filter).type.not.toBeCallableWith({ operation: 5 })
  })
})

describe('repo.history()', () => {
  const { history } = repositories.create(runner, users)
  type Entry = Awaited<ReturnType<typeof history>>[number]
  test('takes a key and a part of the list', () => {
    expect(history).type.toBeCallableWith(1, { limit: 10, skip: 5, direction: 'desc' })
    expect(history).type.not.toBeCallableWith('x')
    expect(history).type.not.toBeCallableWith(1, { direction: 'up' })
  })
  test('has the values of the columns, each of which may be missing', () => {
    expect<Entry['before']>().type.toBe<{ id?: number, name?: string, born?: Date | null, big?: bigint } | null>()
    expect<Entry['changed']>().type.toBe<ReadonlyArray<'id' | 'name' | 'born' | 'big'>>()
    expect<Entry['at']>().type.toBe<Date>()
    expect<Entry['actor']>().type.toBe<string | null>()
  })
})
