/** Random writes with few different values, so that rows conflict. */
import fc from 'fast-check'
import type { NewShelfRow, ShelfUpsert } from './shelf-model.js'

export type Write =
  | { readonly kind: 'createMany', readonly rows: readonly NewShelfRow[] }
  | { readonly kind: 'upsert', readonly row: NewShelfRow, readonly options: ShelfUpsert }
  | { readonly kind: 'upsertMany', readonly rows: readonly NewShelfRow[], readonly options: ShelfUpsert }
  | { readonly kind: 'getOrCreate', readonly filter: NewShelfRow, readonly defaults: NewShelfRow }
  | { readonly kind: 'softDelete', readonly place: number }

/** The rows of a table, and the writes to compare. */
export interface InsertCase {
  readonly isSoft: boolean
  readonly seesDeleted: boolean
  readonly writes: readonly Write[]
}

const values = {
  id: fc.integer({ min: 1, max: 6 }),
  code: fc.option(fc.constantFrom('a', 'b', 'c', '"', '\\')),
  slot: fc.option(fc.constantFrom('x', 'y', 'z')),
  rank: fc.option(fc.integer({ min: 0, max: 9 })),
  tags: fc.option(fc.array(fc.constantFrom('a', '"b"', '{c,\\d}', '', 'null'), { maxLength: 2 }))
}

const row: fc.Arbitrary<NewShelfRow> = fc.record(values, { requiredKeys: [], noNullPrototype: true })
const rows = fc.array(row, { maxLength: 5 })

/** Enough rows with the same columns to be sent as arrays, between other rows. */
const many = fc.record({ before: rows, length: fc.integer({ min: 0, max: 120 }), rank: fc.boolean(), after: rows }).map(({ before, length, rank, after }) =>
  [...before, ...Array.from({ length }, (_, n) => ({ tags: [String(n)], ...(rank && { rank: n }) })), ...after])

const options: fc.Arbitrary<ShelfUpsert> = fc.record({
  target: fc.constantFrom('id', 'code', 'slot', undefined),
  update: fc.oneof(
    fc.constant(undefined),
    fc.uniqueArray(fc.constantFrom('id', 'code', 'slot', 'rank', 'tags'), { maxLength: 3 }),
    fc.record({ rank: fc.integer({ min: 0, max: 9 }) }),
    fc.record({ add: fc.integer({ min: -3, max: 3 }) })
  ),
  rankAbove: fc.option(fc.integer({ min: 0, max: 8 }), { nil: undefined, freq: 2 }),
  deleted: fc.constantFrom('keep', 'revive', undefined, undefined)
})

/** Most rows of an upsert have their key. */
const keyed = fc.oneof(
  { weight: 6, arbitrary: fc.record(values, { requiredKeys: ['id', 'code', 'slot'], noNullPrototype: true }) },
  { weight: 1, arbitrary: row }
)

/** Enough rows to be sent as arrays, between other rows. Some keys repeat. */
const manyKeyed = fc.record({
  before: fc.array(keyed, { maxLength: 3 }),
  length: fc.integer({ min: 0, max: 120 }),
  distinct: fc.constantFrom(70, 1000),
  rank: fc.boolean(),
  after: fc.array(keyed, { maxLength: 3 })
})
  .map(({ before, length, distinct, rank, after }) =>
    [
      ...before,
      ...Array.from({ length }, (_, n) => ({ id: 100 + n % distinct, code: `m${n % distinct}`, slot: `m${n % distinct}`, ...(rank && { rank: n % 10 }) })),
      ...after
    ])

const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ kind: fc.constant('createMany' as const), rows: fc.oneof(rows, rows, many) }),
  fc.record({ kind: fc.constant('upsert' as const), row: keyed, options }),
  fc.record({ kind: fc.constant('upsertMany' as const), rows: fc.oneof({ weight: 2, arbitrary: fc.array(keyed, { maxLength: 6 }) }, manyKeyed), options }),
  fc.record({
    filter: fc.record({ id: values.id, code: values.code, slot: values.slot, rank: values.rank }, { requiredKeys: [], noNullPrototype: true }),
    others: row
  })
    .map(({ filter, others }) => ({
      kind: 'getOrCreate' as const, filter, defaults: Object.fromEntries(Object.entries(others).filter(([key]) => !(key in filter)))
    })),
  fc.record({ kind: fc.constant('softDelete' as const), place: fc.nat(9) })
)

export const insertCases: fc.Arbitrary<InsertCase> = fc.record({
  isSoft: fc.boolean(), seesDeleted: fc.boolean(), writes: fc.array(write, { minLength: 1, maxLength: 10 })
})
