/** Random models. They use few names, so that two models have much in common. */
import fc from 'fast-check'
import { keys, types } from './columns.js'

/** A column other than the key. */
export interface ColumnPlan {
  readonly type: keyof typeof types | 'mood' | 'moods'
  readonly notNull: boolean
  readonly hasDefault: boolean
  readonly unique: boolean
}

/** An object that reads a column: a partial index, an index over an expression, or a policy. */
export type Reader = 'part' | 'expression' | 'policy' | 'insertPolicy' | 'restriction'

/** A table. Parts that refer to a missing column are left out. */
export interface TablePlan {
  /** Whether it is in a schema of its own. */
  readonly apart: boolean
  readonly key: keyof typeof keys | 'pair'
  readonly columns: Readonly<Partial<Record<string, ColumnPlan>>>
  readonly index: readonly string[]
  readonly uniquePair: boolean
  readonly uniqueIndex: boolean
  readonly check: number | undefined
  readonly readers: ReadonlyArray<{ readonly kind: Reader, readonly column: string }>
  /** A column that is generated from another, in one of several ways. */
  readonly generated: { readonly from: string, readonly how: number, readonly unique: boolean } | undefined
  readonly refersTo: { readonly table: string, readonly onDelete: 'cascade' | 'set null' } | undefined
}

/** A model. */
export interface ModelPlan {
  readonly tables: Readonly<Partial<Record<string, TablePlan>>>
  readonly mood: { readonly name: string, readonly values: readonly string[] } | undefined
  /** A view of one column or of all, and possibly a view of this view. */
  readonly view: { readonly table: string, readonly column: string | undefined, readonly materialized: boolean, readonly above: boolean } | undefined
  readonly sequence: { readonly name: string, readonly cycle: boolean, readonly increment: number, readonly maxValue: number } | undefined
}

const column: fc.Arbitrary<ColumnPlan> = fc.record({
  type: fc.constantFrom(...Object.keys(types) as Array<keyof typeof types>, 'mood' as const, 'mood' as const, 'moods' as const),
  // A new NOT NULL column of a table with rows needs a default.
  notNull: fc.constantFrom(false, false, false, true),
  hasDefault: fc.boolean(),
  unique: fc.boolean()
})

const columnNames = ['one', 'two', 'three']

const table: fc.Arbitrary<TablePlan> = fc.record({
  apart: fc.constantFrom(false, false, false, true),
  key: fc.constantFrom(...Object.keys(keys) as Array<keyof typeof keys>, 'pair' as const),
  columns: fc.dictionary(fc.constantFrom(...columnNames), column, { maxKeys: 3, noNullPrototype: true }),
  index: fc.uniqueArray(fc.constantFrom(...columnNames), { maxLength: 2 }),
  uniquePair: fc.boolean(),
  uniqueIndex: fc.boolean(),
  check: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
  readers: fc.array(
    fc.record({ kind: fc.constantFrom<Reader>('part', 'expression', 'policy', 'insertPolicy', 'restriction'), column: fc.constantFrom(...columnNames) }),
    { maxLength: 2 }
  ),
  generated: fc.option(fc.record({ from: fc.constantFrom(...columnNames), how: fc.integer({ min: 0, max: 2 }), unique: fc.boolean() }), { nil: undefined }),
  refersTo: fc.option(fc.record({ table: fc.constantFrom('users', 'posts', 'tags'), onDelete: fc.constantFrom('cascade', 'set null') }), { nil: undefined })
})

/** Any model. */
export const model: fc.Arbitrary<ModelPlan> = fc.record({
  tables: fc.dictionary(fc.constantFrom('users', 'posts', 'tags'), table, { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
  mood: fc.option(
    fc.record({ name: fc.constantFrom('mood', 'mood', 'spirit'), values: fc.uniqueArray(fc.constantFrom('calm', 'glad', 'sad'), { minLength: 1 }) }),
    { nil: undefined }
  ),
  view: fc.option(
    fc.record({
      table: fc.constantFrom('users', 'posts', 'tags'),
      column: fc.constantFrom(...columnNames, undefined),
      materialized: fc.boolean(),
      above: fc.boolean()
    }),
    { nil: undefined }
  ),
  sequence: fc.option(
    fc.record({ name: fc.constantFrom('count', 'tally'), cycle: fc.boolean(), increment: fc.constantFrom(1, 5, -1), maxValue: fc.constantFrom(100, 1000) }),
    { nil: undefined }
  )
})
