import { after, beforeEach, test as nodeTest } from 'node:test'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { integer, pgTable, serial, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { describe, expect, test } from 'tstyche'
import { captureStatements, createTestDatabase, expectNoLeaks, factory, sandbox } from '../../src/testing/index.js'
import type { CapturedStatement, Factory, Sandbox, TestDatabase } from '../../src/testing/index.js'
import type { Database, NewRow } from '../../plugins/index.js'

const users = pgTable('users', { id: integer().primaryKey().generatedAlwaysAsIdentity(), email: text().notNull(), name: text() })
const posts = pgTable('posts', { id: serial().primaryKey(), title: text().notNull(), userId: integer().notNull() })

declare const database: Database
declare const server: FastifyInstance

const newUser = factory(users, (n) => ({ email: `user${n}@example.com` }))

describe('createTestDatabase', () => {
  test('takes the test of each runner, or what runs at the end of a file', () => {
    expect(createTestDatabase(t)).type.toBe<Promise<TestDatabase>>()
    expect(createTestDatabase).type.toBeCallableWith(after)
    expect(createTestDatabase).type.toBeCallableWith()
    nodeTest('with the context of node:test', (context) => { expect(createTestDatabase).type.toBeCallableWith(context) })
    beforeEach((context) => { expect(createTestDatabase).type.toBeCallableWith(context) })
    expect(createTestDatabase).type.toBeCallableWith({ onTestFinished: (fn: () => Promise<void>) => { fn() } })
    expect(createTestDatabase).type.not.toBeCallableWith({ afterAll: () => undefined })
  })

  test('takes what a template is made by, and the options of openDatabase', () => {
    expect(createTestDatabase).type.toBeCallableWith(t, { schema: { users }, migrations: './drizzle', seed: async (seeded: Database) => { await newUser({}, seeded) } })
    expect(createTestDatabase).type.toBeCallableWith(t, { sql: 'create table notes (id int)', pool: { size: 2 } })
    expect(createTestDatabase).type.not.toBeCallableWith(t, { migrations: true })
    expect(createTestDatabase).type.not.toBeCallableWith(t, { tables: 'create table notes (id int)' })
  })
})

describe('factory', () => {
  test('creates a row where it is told where, and else gives the values only', () => {
    expect(newUser({ name: 'Ada' }, database)).type.toBe<Promise<typeof users.$inferSelect>>()
    expect(newUser()).type.toBe<Promise<Partial<NewRow<typeof users>>>>()
    expect(newUser).type.toBeCallableWith({}, database.repo(users))
    expect(newUser).type.not.toBeCallableWith({}, database.repo(posts))
  })

  test('has a default for each column that needs a value, or a function that makes it', () => {
    expect(factory(posts, { title: 'x', userId: async (source) => (await newUser({}, source)).id })).type.toBe<Factory<typeof posts>>()
    // @ts-expect-error! userId
    factory(posts, { title: 'x' })
    // @ts-expect-error! 'string' is not assignable
    factory(posts, () => ({ title: 'x', userId: 'one' }))
  })

  test('refuses what is no column, and what PostgreSQL makes', () => {
    expect(newUser).type.not.toBeCallableWith({ nickname: 'x' }, database)
    expect(newUser).type.not.toBeCallableWith({ email: 1 }, database)
    expect(newUser).type.not.toBeCallableWith({ id: 1 }, database)
  })
})

describe('sandbox', () => {
  test('takes a server or a database, and is disposable', () => {
    expect(sandbox(server)).type.toBe<Promise<Sandbox>>()
    expect(sandbox(database, { timeoutMillis: 500 })).type.toBe<Promise<Sandbox>>()
    expect<Sandbox>().type.toBeAssignableTo<AsyncDisposable>()
    expect(sandbox).type.not.toBeCallableWith(database.pool)
    expect(sandbox).type.not.toBeCallableWith(server, { timeout: 500 })
  })
})

describe('captureStatements', () => {
  test('gives what the function resolved with, and what was sent', () => {
    expect(captureStatements(database, async () => await server.inject('/'))).type.toBe<Promise<{ readonly result: LightMyRequestResponse, readonly statements: CapturedStatement[] }>>()
    expect(captureStatements).type.not.toBeCallableWith(database)
  })
})

describe('expectNoLeaks', () => {
  test('takes whatever has a pool', () => {
    expect(expectNoLeaks(database)).type.toBe<Promise<void>>()
    expect(expectNoLeaks).type.not.toBeCallableWith(server)
  })
})
