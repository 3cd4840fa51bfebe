/** The model of reads: an array, with the expected result of each read method. */
import { compare, truthOf } from './predicates.js'
import type { Item } from './items.js'
import type { Column, Predicate } from './predicates.js'

/** The rows that a repository sees. */
export type Visibility = 'live' | 'all' | 'deleted'

export interface OrderKey {
  readonly column: Column
  readonly direction: 'asc' | 'desc'
  readonly nulls: 'first' | 'last' | undefined
}

export interface Bounds {
  readonly skip: number
  readonly limit: number
}

export class RepositoryModel {
  readonly rows: readonly Item[]
  readonly #visible: readonly Item[]

  constructor (rows: readonly Item[], visibility: Visibility) {
    this.rows = rows
    this.#visible = rows.filter(({ deletedAt }) => visibility === 'all' || (deletedAt === null) === (visibility === 'live'))
  }

  get (id: number): Item | undefined {
    return this.#visible.find((row) => row.id === id)
  }

  getMany (ids: readonly number[]): Item[] {
    return ids.flatMap((id) => this.get(id) ?? [])
  }

  /** All matching rows, in order. */
  list (predicate: Predicate, order: readonly OrderKey[], { skip, limit }: Bounds = { skip: 0, limit: Infinity }): Item[] {
    const keys: readonly OrderKey[] = [...order, { column: 'id', direction: order.at(-1)?.direction ?? 'asc', nulls: undefined }]
    return this.#visible
      .filter((row) => truthOf(predicate, row) === true)
      .sort((one, other) => keys.map((key) => inOrder(key, one[key.column], other[key.column])).find((sign) => sign !== 0) ?? 0)
      .slice(skip, skip + limit)
  }

  count (predicate: Predicate): number {
    return this.list(predicate, []).length
  }
}

function inOrder ({ column, direction, nulls }: OrderKey, one: unknown, other: unknown): number {
  const nullsSign = (nulls ?? (direction === 'asc' ? 'last' : 'first')) === 'last' ? 1 : -1
  if (one === null || other === null) return one === other ? 0 : one === null ? nullsSign : -nullsSign
  return direction === 'asc' ? compare(column, one, other) : compare(column, other, one)
}
