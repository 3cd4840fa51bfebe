import { integer, json, jsonb, pgEnum, pgTable, text } from 'drizzle-orm/pg-core'
import { describe, expect, test } from 'tstyche'
import { listQuery } from '../../../src/repository/list-query/list-query.js'
import type { Repositories } from '../../../src/repository/repository-factory.js'
import type { RepositorySession } from '../../../src/repository/repository.js'

const mood = pgEnum('mood', ['fine', 'bad'])
const countries = pgTable('countries', { code: text().primaryKey(), name: text().notNull(), id: integer(), mood: mood(), raw: json(), settings: jsonb() })

declare const repositories: Repositories
declare const runner: RepositorySession

const repo = repositories.create(runner, countries)

describe('columns of Drizzle 0.45', () => {
  test('tell the primary key', () => {
    expect(repo.get).type.toBeCallableWith('de')
    expect(repo.get).type.not.toBeCallableWith(1)
    expect(repo.get).type.not.toBeCallableWith({ code: 'de' })
  })
  test('tell json from jsonb, and an enum from a text', () => {
    expect(repo.filter).type.toBeCallableWith({ settings: { eq: 1, jsonContains: {} } })
    expect(repo.filter).type.not.toBeCallableWith({ raw: { eq: 1 } })
    expect(repo.filter).type.not.toBeCallableWith({ raw: { jsonContains: {} } })
    expect(repo.filter).type.not.toBeCallableWith({ mood: { like: 'f%' } })
    expect(listQuery<typeof countries>).type.not.toBeCallableWith(countries, { searchable: ['mood'] })
  })
})
