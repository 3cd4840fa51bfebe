/** Random programs of writes on a random table. They are small, so that keys repeat, versions go stale and filters match. */
import fc from 'fast-check'
import { nullable, predicate, rows, values } from './cases.js'
import type { Entry } from './entries.js'
import type { Item } from './items.js'
import type { Visibility } from './model.js'
import type { Predicate } from './predicates.js'

/** The values for the columns. A number in `more` is an increment. */
export interface Changes {
  readonly values: Partial<Omit<Entry, 'id' | 'version'>>
  readonly more: { readonly rank?: number | undefined, readonly score?: string | undefined }
}

/** One call of a write method. */
export type Write =
  | { readonly method: 'create', readonly row: NewEntry }
  | { readonly method: 'createMany', readonly rows: readonly NewEntry[], readonly returning: boolean }
  | { readonly method: 'update' | 'updateOrThrow', readonly id: number, readonly changes: Changes, readonly expectedVersion: number | undefined }
  | { readonly method: 'updateMany', readonly predicate: Predicate, readonly changes: Changes, readonly all: boolean }
  | { readonly method: 'delete' | 'deleteOrThrow' | 'softDelete' | 'restore', readonly id: number }
  | { readonly method: 'deleteMany', readonly predicate: Predicate, readonly all: boolean }
  | { readonly method: 'purge', readonly olderThan: Date | number }

export type NewEntry = Pick<Entry, 'id'> & Partial<Omit<Entry, 'id' | 'version'>>

/** The rows of a table, and the calls. Each call has the visibility of its repository. */
export interface WriteCase {
  readonly soft: boolean
  readonly rows: readonly Item[]
  readonly writes: ReadonlyArray<{ readonly write: Write, readonly visibility: Visibility }>
}

const id = fc.integer({ min: 1, max: 12 })

const someValues: fc.Arbitrary<Partial<Item>> = fc.record(nullable, { requiredKeys: [], noNullPrototype: true })

const someChanges: fc.Arbitrary<Changes> = fc.record({
  values: someValues,
  more: fc.record({ rank: fc.integer({ min: -3, max: 3 }), score: fc.constantFrom('0.25', '-10', '3') }, { requiredKeys: [], noNullPrototype: true })
}).map(({ values, more }) => ({ values: without(values, Object.keys(more)), more }))

const changes = fc.oneof({ arbitrary: someChanges, weight: 5 }, { arbitrary: fc.constant<Changes>({ values: {}, more: {} }), weight: 1 })

function without (values: Partial<Item>, keys: readonly string[]): Partial<Item> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => !keys.includes(key)))
}

const newEntry: fc.Arbitrary<NewEntry> = fc.tuple(id, someValues).map(([key, some]) => ({ id: key, ...some }))
const filter = fc.oneof({ arbitrary: predicate, weight: 4 }, { arbitrary: fc.constant<Predicate>({ and: [] }), weight: 1 })
const expectedVersion = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined })

const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ method: fc.constant('create' as const), row: newEntry }),
  fc.record({ method: fc.constant('createMany' as const), rows: fc.array(newEntry, { maxLength: 3 }), returning: fc.boolean() }),
  { arbitrary: fc.record({ method: fc.constantFrom('update' as const, 'updateOrThrow' as const), id, changes, expectedVersion }), weight: 3 },
  { arbitrary: fc.record({ method: fc.constant('updateMany' as const), predicate: filter, changes, all: fc.boolean() }), weight: 2 },
  { arbitrary: fc.record({ method: fc.constantFrom('delete' as const, 'deleteOrThrow' as const, 'softDelete' as const, 'restore' as const), id }), weight: 3 },
  fc.record({ method: fc.constant('deleteMany' as const), predicate: filter, all: fc.boolean() }),
  fc.record({ method: fc.constant('purge' as const), olderThan: fc.oneof(fc.constantFrom(0, 3650), values.at) })
)

export const writeCases: fc.Arbitrary<WriteCase> = fc.record({
  soft: fc.boolean(),
  rows: rows.map((all) => all.map((row, place) => ({ ...row, id: place + 1 })).slice(0, 12)),
  writes: fc.array(fc.record({ write, visibility: fc.constantFrom<Visibility>('live', 'all', 'deleted') }), { minLength: 1, maxLength: 8 })
})
