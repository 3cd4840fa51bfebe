/** Random tables, filters, orders and pages. They have few different values, so that rows tie and filters match. */
import fc from 'fast-check'
import type { Item } from './items.js'
import type { OrderKey, Visibility } from './model.js'
import type { Column, Operation, Predicate } from './predicates.js'

/** The rows of one table, and the reads to compare. */
export interface ReadCase {
  readonly rows: readonly Item[]
  readonly visibility: Visibility
  readonly predicate: Predicate
  readonly order: readonly OrderKey[]
  readonly skip: number
  readonly limit: number
  readonly ids: readonly number[]
  readonly columns: readonly Column[] | undefined
}

export const values = {
  word: fc.array(fc.constantFrom('a', 'A', 'b', '%', '_', '\\'), { maxLength: 3 }).map((letters) => letters.join('')),
  rank: fc.integer({ min: -2, max: 2 }),
  score: fc.constantFrom('-1.5', '0', '0.5', '2', '10'),
  flag: fc.boolean(),
  at: fc.integer({ min: 0, max: 3 }).map((second) => new Date(Date.UTC(2026, 0, 1, 0, 0, second, second))),
  tags: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 }),
  doc: fc.constantFrom<unknown>(
    {},
    { a: 1 },
    { a: 1, b: [1, 2] },
    { a: { c: 'x' } },
    { a: 2, b: [] },
    { b: [2], a: 1 },
    { a: { c: 'x', d: null } },
    { b: [{ e: 1 }, 3] }
  )
}

type ValueColumn = keyof typeof values

/** A value or null for each column. */
export const nullable = {
  word: fc.option(values.word),
  rank: fc.option(values.rank),
  score: fc.option(values.score),
  flag: fc.option(values.flag),
  at: fc.option(values.at),
  tags: fc.option(values.tags),
  doc: fc.option(values.doc)
}

export const rows = fc.uniqueArray(fc.record({
  id: fc.integer({ min: 1, max: 40 }),
  ...nullable,
  deletedAt: fc.option(values.at, { freq: 2 })
}, { noNullPrototype: true }), { selector: ({ id }) => id, maxLength: 25 })

const pattern = fc.array(fc.constantFrom('a', 'B', '%', '_', '\\%', '\\_', '\\\\'), { maxLength: 3 }).map((tokens) => tokens.join(''))

function operationsOn (column: ValueColumn): fc.Arbitrary<Operation> {
  const value: fc.Arbitrary<unknown> = values[column]
  const some = fc.array(value, { maxLength: 3 })
  const named = (operators: readonly string[], operand: fc.Arbitrary<unknown>): fc.Arbitrary<Operation> => fc.tuple(fc.constantFrom(...operators), operand)
  const plain = [named(['eq', 'ne'], fc.option(value)), named(['in', 'notIn'], some), named(['isNull'], fc.boolean())]
  const ordered = [...plain, named(['lt', 'lte', 'gt', 'gte'], value), named(['between'], fc.tuple(value, value))]
  if (column === 'doc') return fc.oneof(...plain, named(['jsonContains', 'jsonContained'], value))
  if (column === 'tags') return fc.oneof(...ordered, named(['arrayContains', 'arrayContained', 'arrayOverlaps'], value))
  if (column === 'word') return fc.oneof(...ordered, named(['like', 'ilike'], pattern), named(['contains', 'startsWith', 'endsWith'], value))
  return fc.oneof(...ordered)
}

/** An object would be read as operators, so a document is compared with `eq` only. */
const columnTests: fc.Arbitrary<Predicate> = fc.constantFrom(...Object.keys(values) as ValueColumn[]).chain((column) => fc.oneof(
  ...column === 'doc' ? [] : [fc.option(values[column] as fc.Arbitrary<unknown>).map((value): Predicate => ({ column, value }))],
  fc.uniqueArray(operationsOn(column), {
    selector: ([operator]) => operator, minLength: 1, maxLength: 2
  }).map((operations): Predicate => ({ column, operations }))
))

export const { predicate } = fc.letrec<{ predicate: Predicate }>((tie) => ({
  predicate: fc.oneof({ maxDepth: 3, withCrossShrink: true }, columnTests, fc.integer({ min: -2, max: 2 }).map((drizzle): Predicate => ({ drizzle })),
    fc.record({
      and: fc.array(tie('predicate'), { maxLength: 3 })
    }), fc.record({ or: fc.array(tie('predicate'), { maxLength: 3 }) }), fc.record({ not: tie('predicate') }))
}))

const orderKey: fc.Arbitrary<OrderKey> = fc.record({
  column: fc.constantFrom<Column>('id', 'word', 'rank', 'score', 'flag', 'at', 'tags'),
  direction: fc.constantFrom('asc', 'desc'),
  nulls: fc.constantFrom('first', 'last', undefined)
})

export const readCases: fc.Arbitrary<ReadCase> = fc.record({
  rows,
  visibility: fc.constantFrom('live', 'all', 'deleted'),
  predicate: fc.oneof(predicate, fc.constant<Predicate>({ and: [] })),
  order: fc.uniqueArray(orderKey, { selector: ({ column }) => column, maxLength: 3 }),
  skip: fc.integer({ min: 0, max: 6 }),
  limit: fc.integer({ min: 1, max: 6 }),
  ids: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 5 }),
  columns: fc.option(fc.uniqueArray(fc.constantFrom<Column>('id', 'word', 'rank', 'tags', 'doc'), { minLength: 1 }), { nil: undefined })
})
