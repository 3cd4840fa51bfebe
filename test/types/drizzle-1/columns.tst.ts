import { sql } from 'drizzle-orm'
import { bigint, bytea, customType, integer, json, numeric, pgEnum, pgTable, point, primaryKey, text, timestamp, vector } from 'drizzle-orm/pg-core'
import { describe, expect, test } from 'tstyche'
import { softDelete, timestamps, version } from '../../../src/model/columns.js'
import { increment } from '../../../src/repository/types/increment.js'
import { listQuery } from '../../../src/repository/list-query/list-query.js'
import type { SoftDeleteKey, VersionKey } from '../../../src/model/own-columns.js'
import type { Repositories } from '../../../src/repository/repository-factory.js'
import type { RepositorySession } from '../../../src/repository/repository.js'

const mood = pgEnum('mood', ['fine', 'bad'])
const oddType = customType<{ data: number[] }>({ dataType: () => 'odd' })
const countries = pgTable('countries', { code: text().primaryKey(), name: text().notNull(), population: integer() })
const members = pgTable('members', { group: text(), id: integer().notNull() }, (table) => [primaryKey({ columns: [table.group, table.id] })])
const all = pgTable('all', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  big: bigint({ mode: 'bigint' }),
  bigText: bigint({ mode: 'string' }),
  price: numeric(),
  mood: mood(),
  moods: mood().array(),
  grid: integer().array('[][]'),
  at: timestamp({ withTimezone: true }),
  file: bytea(),
  raw: json().$type<string[]>(),
  place: point(),
  vector: vector({ dimensions: 3 }),
  odd: oddType(),
  odds: oddType().array(),
  doubled: integer().generatedAlwaysAs(sql`id * 2`),
  ...timestamps(),
  ...softDelete(),
  ...version()
})

declare const repositories: Repositories
declare const runner: RepositorySession

const repo = repositories.create(runner, all)

describe('columns of Drizzle 1.0', () => {
  test('do not tell the primary key: it is named id, or any required column', () => {
    expect(repo.get).type.toBeCallableWith(1)
    expect(repo.get).type.toBeCallableWith({ id: 1 })
    expect(repo.get).type.not.toBeCallableWith('x')
    const countryRepo = repositories.create(runner, countries)
    expect(countryRepo.get).type.toBeCallableWith('de')
    expect(countryRepo.get).type.not.toBeCallableWith(1)
    const memberRepo = repositories.create(runner, members)
    expect(memberRepo.get).type.toBeCallableWith({ group: 'a', id: 1 })
    expect(memberRepo.get).type.not.toBeCallableWith({ group: 'a', nope: 1 })
    expect(memberRepo.get).type.not.toBeCallableWith('a')
  })
  test('of arrays have the operators of arrays alone', () => {
    expect(repo.filter).type.toBeCallableWith({ moods: { arrayContains: ['fine'] }, grid: { arrayOverlaps: [[1]] } })
    expect(repo.filter).type.not.toBeCallableWith({ moods: { like: 'f%' } })
    expect(repo.filter).type.not.toBeCallableWith({ mood: { arrayContains: ['fine'] } })
    expect(repo.filter).type.not.toBeCallableWith({ raw: { arrayContains: ['fine'] } })
    expect(repo.filter).type.not.toBeCallableWith({ place: { arrayContains: [1, 2] } })
    expect(repo.filter).type.not.toBeCallableWith({ vector: { arrayContains: [1] } })
  })
  test('of json have the operators of jsonb, and an enum has those of text: their types are the same', () => {
    expect(repo.filter).type.toBeCallableWith({ raw: { jsonContains: ['a'] }, mood: { like: 'f%' } })
    expect(repo.filter).type.not.toBeCallableWith({ raw: ['a'] })
    expect(repo.filter).type.not.toBeCallableWith({ file: { like: 'f%' } })
  })
  test('have the values of their types', () => {
    expect(repo.filter).type.toBeCallableWith({ big: { gt: 1n }, bigText: '9007199254740993', at: { lt: new Date() }, file: Buffer.from('a'), odd: [1] })
    expect(repo.filter).type.not.toBeCallableWith({ place: [1, 2] })
    expect(repo.filter).type.not.toBeCallableWith({ big: 1 })
    expect(repo.update).type.toBeCallableWith(1, { big: increment(1), bigText: increment('1'), price: increment('0.1') })
    expect(repo.update).type.not.toBeCallableWith(1, { mood: increment(1) })
    expect(repo.update).type.not.toBeCallableWith(1, { grid: increment(1) })
    expect(repo.update).type.not.toBeCallableWith(1, { doubled: 4 })
    expect(repo.create).type.not.toBeCallableWith({ id: 1 })
  })
  test('keep the marks of softDelete() and version()', () => {
    expect<SoftDeleteKey<typeof all>>().type.toBe<'deletedAt'>()
    expect<VersionKey<typeof all>>().type.toBe<'version'>()
    expect(repo.softDelete).type.toBeCallableWith(1)
  })
  test('stand in lists if their values can stand in a query string', () => {
    expect(listQuery<typeof all>).type.toBeCallableWith(all, { filterable: ['id', 'big', 'bigText', 'price', 'mood', 'at', 'createdAt'], searchable: ['mood'] })
    expect(listQuery<typeof all>).type.not.toBeCallableWith(all, { filterable: ['moods'] })
    expect(listQuery<typeof all>).type.not.toBeCallableWith(all, { filterable: ['raw'] })
    expect(listQuery<typeof all>).type.not.toBeCallableWith(all, { filterable: ['file'] })
  })
})
