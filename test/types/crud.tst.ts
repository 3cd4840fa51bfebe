import { bigint, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { describe, expect, test } from 'tstyche'
import { crud } from '../../plugins/crud.js'
import { Repository, softDelete, version } from '../../src/index.js'
import type { FastifyPluginAsync } from 'fastify'

const users = pgTable('users', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull(),
  email: text().notNull(),
  age: integer(),
  passwordHash: text().notNull(),
  settings: jsonb(),
  ...softDelete(),
  ...version()
})

const seats = pgTable('seats', { row: text().notNull(), place: bigint({ mode: 'bigint' }).notNull(), guest: text() }, (table) => [primaryKey({ columns: [table.row, table.place] })])

class UserRepository extends Repository.of(users, { writable: ['name', 'email'] }) {
  findByEmail (email: string) { return this.getBy({ email }) }
  protected override beforeCreate (values: Parameters<Repository<typeof users>['create']>[0]) { return values }
}

const prefix = '/users'

describe('crud', () => {
  test('takes a table, or a class of repositories, and gives a plugin', () => {
    expect(crud(users, { prefix, get: true })).type.toBe<FastifyPluginAsync>()
    expect(crud(UserRepository, { prefix, list: true, get: true, create: ['name', 'email'], update: ['name'], remove: 'soft', hidden: ['passwordHash'], tags: ['users'], ifMatch: 'optional' })).type.toBe<FastifyPluginAsync>()
    expect(crud(seats, { prefix: '/seats', list: { filterable: ['row', 'place'] }, remove: 'final', create: ['row', 'place', 'guest'] })).type.toBe<FastifyPluginAsync>()
    expect(crud).type.not.toBeCallableWith('users', { prefix, get: true })
    expect(crud).type.not.toBeCallableWith(users, { get: true })
    expect(crud).type.not.toBeCallableWith(users, { prefix, gett: true })
  })
  test('knows the columns that may be written', () => {
    expect(crud).type.not.toBeCallableWith(users, { prefix, create: ['nme'] })
    expect(crud).type.not.toBeCallableWith(users, { prefix, update: ['nme'] })
    expect(crud).type.not.toBeCallableWith(users, { prefix, create: ['id'] })
    expect(crud).type.not.toBeCallableWith(users, { prefix, update: ['version'] })
    expect(crud).type.not.toBeCallableWith(UserRepository, { prefix, create: ['age'] })
    expect(crud).type.not.toBeCallableWith(UserRepository, { prefix, update: ['passwordHash'] })
    expect(crud(users, { prefix, create: ['name', 'email', 'age', 'passwordHash', 'settings'] })).type.toBe<FastifyPluginAsync>()
  })
  test('knows the columns of a list, and refuses hidden ones', () => {
    expect(crud(users, { prefix, list: { filterable: { name: ['contains'], age: ['gt'] }, sortable: ['age'], searchable: ['email'] } })).type.toBe<FastifyPluginAsync>()
    expect(crud).type.not.toBeCallableWith(users, { prefix, list: { filterable: ['nme'] } })
    expect(crud).type.not.toBeCallableWith(users, { prefix, list: { filterable: ['settings'] } })
    expect(crud).type.not.toBeCallableWith(users, { prefix, list: { sortable: ['nme'] } })
    expect(crud).type.not.toBeCallableWith(users, { prefix, list: { searchable: ['age'] } })
    expect(crud).type.not.toBeCallableWith(users, { prefix, hidden: ['passwrdHash'], get: true })
    expect(crud).type.not.toBeCallableWith(users, { prefix, hidden: ['passwordHash'], list: { filterable: ['passwordHash'] } })
    expect(crud).type.not.toBeCallableWith(users, { prefix, hidden: ['passwordHash'], list: { filterable: { passwordHash: ['eq'] } } })
    expect(crud).type.not.toBeCallableWith(users, { prefix, hidden: ['age', 'passwordHash'], list: { sortable: ['age'] } })
    expect(crud).type.not.toBeCallableWith(users, { prefix, hidden: ['email'], list: { searchable: ['email'] } })
  })
  test('has the removal and the tags that the table allows', () => {
    expect(crud).type.not.toBeCallableWith(seats, { prefix, remove: 'soft' })
    expect(crud).type.not.toBeCallableWith(seats, { prefix, get: true, ifMatch: 'optional' })
    expect(crud).type.not.toBeCallableWith(users, { prefix, remove: true })
  })
})
