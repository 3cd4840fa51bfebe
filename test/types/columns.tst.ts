import { bigint, integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import { describe, expect, test } from 'tstyche'
import { softDelete, timestamps, version } from '../../src/model/columns.js'
import { asDeletedAt, asUpdatedAt, asVersion } from '../../src/model/own-columns.js'
import type { TimestampColumns, TimestampOptions } from '../../src/model/columns.js'
import type { SoftDeleteKey, VersionKey } from '../../src/model/own-columns.js'
import type { Repositories } from '../../src/repository/repository-factory.js'
import type { RepositorySession } from '../../src/repository/repository.js'

export const named = pgTable('NAMED', {
  id: integer('ID').primaryKey(),
  ...timestamps({ createdAt: 'CREATED', updatedAt: 'MODIFIED', precision: 6 }),
  ...softDelete({ name: 'REMOVED', precision: null }),
  ...version({ name: 'REVISION' })
})
export const half = pgTable('half', { id: integer().primaryKey(), ...timestamps({ updatedAt: false }) })
const own = pgTable('own', {
  id: integer().primaryKey(),
  name: text().notNull(),
  modified: asUpdatedAt(timestamp('MODIFIED', { mode: 'string' }).notNull()),
  removed: asDeletedAt(timestamp('REMOVED', { withTimezone: true }), { filter: false }),
  revision: asVersion(bigint('REVISION', { mode: 'number' }).notNull())
})

declare const repositories: Repositories
declare const runner: RepositorySession
const repo = repositories.create(runner, own)

describe('columns with names of their own', () => {
  test('have the keys and the types of the usual ones', () => {
    expect<typeof named.$inferSelect>().type.toBe<{
      id: number, createdAt: Date, updatedAt: Date, deletedAt: Date | null, version: number
    }>()
    expect<SoftDeleteKey<typeof named>>().type.toBe<'deletedAt'>()
    expect<VersionKey<typeof named>>().type.toBe<'version'>()
  })
  test('are left out by false', () => {
    expect<typeof half.$inferSelect>().type.toBe<{ id: number, createdAt: Date }>()
    expect<keyof TimestampColumns<{ createdAt: false, updatedAt: false }>>().type.toBe<never>()
    expect<keyof TimestampColumns<TimestampOptions>>().type.toBe<'createdAt' | 'updatedAt'>()
  })
  test('take a name, or false', () => {
    expect(timestamps).type.not.toBeCallableWith({ createdAt: true })
    expect(timestamps).type.not.toBeCallableWith({ precision: 7 })
    expect(softDelete).type.not.toBeCallableWith({ name: false })
    expect(version).type.not.toBeCallableWith({ precision: 3 })
  })
})

describe("a program's own columns", () => {
  test('keep their types when they are marked', () => {
    expect<typeof own.$inferSelect>().type.toBe<{ id: number, name: string, modified: string, removed: Date | null, revision: number }>()
    expect<SoftDeleteKey<typeof own>>().type.toBe<'removed'>()
    expect<VersionKey<typeof own>>().type.toBe<'revision'>()
  })
  test('need no value in a new row, and the version takes none', () => {
    expect(repo.create).type.toBeCallableWith({ id: 1, name: 'a' })
    expect(repo.create).type.toBeCallableWith({ id: 1, name: 'a', modified: '2026-01-02 03:04:05.123456' })
    expect(repo.create).type.not.toBeCallableWith({ id: 1, name: 'a', revision: 1 })
    expect(repo.create).type.not.toBeCallableWith({ id: 1 })
    expect(repo.update).type.not.toBeCallableWith(1, { revision: 1 })
  })
  test('have the methods of a table with softDelete() and version()', () => {
    expect(repo.softDelete).type.toBeCallableWith(1)
    expect(repo.upsert).type.toBeCallableWith({ id: 1, name: 'a' }, { deleted: 'revive' })
    expect(repo.update).type.toBeCallableWith(1, { name: 'b' }, { expectedVersion: 1 })
  })
  test('are marked before or after their other methods', () => {
    expect(asVersion(integer().notNull()).default(0)).type.toBeAssignableTo(asVersion(integer().notNull().default(0)))
    expect(asUpdatedAt).type.not.toBeCallableWith('modified')
    expect(asDeletedAt).type.not.toBeCallableWith(timestamp(), { name: 'removed' })
  })
})
