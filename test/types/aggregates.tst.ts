import { bigint, customType, doublePrecision, integer, interval, json, line, numeric, pgTable, point, serial, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { describe, expect, test } from 'tstyche'
import type { Repositories } from '../../src/repository/repository-factory.js'
import type { RepositorySession } from '../../src/repository/repository.js'

const cents = customType<{ data: { cents: number } }>({ dataType: () => 'integer' })
const sales = pgTable('sales', {
  id: serial().primaryKey(),
  customer: text().notNull(),
  units: integer().notNull(),
  grade: integer().$type<1 | 2 | 3>(),
  large: bigint({ mode: 'bigint' }),
  counted: bigint({ mode: 'number' }),
  price: numeric(),
  rate: numeric({ mode: 'number' }),
  whole: numeric({ mode: 'bigint' }),
  heat: doublePrecision(),
  took: interval(),
  fee: cents(),
  at: timestamp().notNull(),
  key: uuid(),
  lots: integer().array(),
  note: json(),
  place: point(),
  border: line()
})

declare const repositories: Repositories
declare const runner: RepositorySession

const repo = repositories.create(runner, sales)

describe('sum', () => {
  test('is of the kind of the column, or null', () => {
    expect(repo.sum('units')).type.toBe<Promise<number | null>>()
    expect(repo.sum('grade')).type.toBe<Promise<number | null>>()
    expect(repo.sum('counted', { customer: 'ada' })).type.toBe<Promise<number | null>>()
    expect(repo.sum('large')).type.toBe<Promise<bigint | null>>()
    expect(repo.sum('price')).type.toBe<Promise<string | null>>()
    expect(repo.sum('rate')).type.toBe<Promise<number | null>>()
    expect(repo.sum('whole')).type.toBe<Promise<bigint | null>>()
    expect(repo.sum('heat')).type.toBe<Promise<number | null>>()
    expect(repo.sum('took')).type.toBe<Promise<string | null>>()
    expect(repo.sum('fee')).type.toBe<Promise<{ cents: number } | null>>()
  })
  test('takes no column without a sum, and no other filter', () => {
    expect(repo.sum).type.not.toBeCallableWith('customer')
    expect(repo.sum).type.not.toBeCallableWith('at')
    expect(repo.sum).type.not.toBeCallableWith('key')
    expect(repo.sum).type.not.toBeCallableWith('lots')
    expect(repo.sum).type.not.toBeCallableWith('note')
    expect(repo.sum).type.not.toBeCallableWith('nope')
    expect(repo.sum).type.not.toBeCallableWith('units', { nope: 1 })
    expect(repo.avg).type.not.toBeCallableWith('customer')
    expect(repo.avg).type.not.toBeCallableWith('at')
  })
})

describe('avg', () => {
  test('is a number for a column of numbers, else the text of PostgreSQL', () => {
    expect(repo.avg('units')).type.toBe<Promise<number | null>>()
    expect(repo.avg('heat')).type.toBe<Promise<number | null>>()
    expect(repo.avg('large')).type.toBe<Promise<string | null>>()
    expect(repo.avg('price')).type.toBe<Promise<string | null>>()
    expect(repo.avg('took')).type.toBe<Promise<string | null>>()
    expect(repo.avg('fee')).type.toBe<Promise<string | null>>()
  })
})

describe('min and max', () => {
  test('have the type of the column, or null', () => {
    expect(repo.min('at')).type.toBe<Promise<Date | null>>()
    expect(repo.max('grade')).type.toBe<Promise<1 | 2 | 3 | null>>()
    expect(repo.max('customer')).type.toBe<Promise<string | null>>()
    expect(repo.min('key', { units: { gt: 1 } })).type.toBe<Promise<string | null>>()
    expect(repo.max('lots')).type.toBe<Promise<number[] | null>>()
    expect(repo.max('fee')).type.toBe<Promise<{ cents: number } | null>>()
  })
  test('take no column without an order', () => {
    expect(repo.min).type.not.toBeCallableWith('place')
    expect(repo.max).type.not.toBeCallableWith('border')
    expect(repo.max).type.not.toBeCallableWith('nope')
  })
})
