/** The model of inserts and upserts: an array, with the expected result of each method. */
import { UniqueViolationError, UsageError, ValidationError } from '../../../src/index.js'
import type { ShelfRow } from './shelf.js'

export type NewShelfRow = Partial<Omit<ShelfRow, 'version' | 'deletedAt'>>

export type Key = 'id' | 'code' | 'slot'

export interface ShelfUpsert {
  readonly target: Key | undefined
  readonly update: ReadonlyArray<keyof NewShelfRow> | { readonly rank: number } | { readonly add: number } | undefined
  readonly rankAbove: number | undefined
  readonly deleted: 'keep' | 'revive' | undefined
}

export interface ModelResult {
  readonly row: ShelfRow
  readonly created: boolean
}

export class ShelfModel {
  rows: readonly ShelfRow[] = []
  readonly isSoft: boolean
  /** Whether deleted rows are visible. */
  readonly seesDeleted: boolean
  #next = 1000

  constructor (isSoft: boolean, seesDeleted: boolean) {
    this.isSoft = isSoft
    this.seesDeleted = seesDeleted
  }

  createMany (rows: readonly NewShelfRow[]): ShelfRow[] {
    return this.#allOrNone(() => rows.map((row) => this.#insert(row)))
  }

  upsertMany (rows: readonly NewShelfRow[], options: ShelfUpsert): ModelResult[] {
    const { target = 'id', deleted } = options
    if (deleted === 'revive' && (!this.isSoft || target === 'slot')) throw new UsageError()
    if (rows.some((row) => row[target] === undefined || row[target] === null)) throw new ValidationError()
    return this.#allOrNone(() => rows.map((row) => this.#upsert(row, options)))
  }

  getOrCreate (filter: NewShelfRow, defaults: NewShelfRow): ModelResult {
    const wanted = Object.entries(filter) as Array<[keyof NewShelfRow, unknown]>
    if (!wanted.some(([key, value]) => ['id', 'code', 'slot'].includes(key) && value !== null)) throw new ValidationError()
    const found = this.rows.find((row) => this.#isVisible(row) && wanted.every(([key, value]) => row[key] === value))
    return found === undefined ? { row: this.#insert({ ...filter, ...defaults }), created: true } : { row: found, created: false }
  }

  softDelete (id: number, at: Date): void {
    this.rows = this.rows.map((row) => row.id === id ? { ...row, deletedAt: at, version: row.version + 1 } : row)
  }

  #upsert (row: NewShelfRow, { target = 'id', update, rankAbove, deleted }: ShelfUpsert): ModelResult {
    const existing = this.rows.find((other) => other[target] === row[target] && (target !== 'slot' || isLive(other)))
    if (existing === undefined) return { row: this.#insert(row), created: true }
    const changes = { ...changesOf(row, existing, { target, update }), ...(deleted === 'revive' && { deletedAt: null }) }
    const isChange = Object.keys(changes).length > (deleted === 'revive' && isLive(existing) ? 1 : 0)
    const isWanted = rankAbove === undefined || (existing.rank !== null && existing.rank > rankAbove)
    if (isChange && isWanted && (deleted === 'revive' || this.#isVisible(existing))) {
      const changed = { ...existing, ...changes, version: existing.version + 1 }
      this.rows = [...this.#without(existing, changed), changed]
      return { row: changed, created: false }
    }
    if (!this.#isVisible(existing)) throw new UniqueViolationError()
    return { row: existing, created: false }
  }

  #insert ({ id, code = null, slot = null, rank = 7, tags = null }: NewShelfRow): ShelfRow {
    const row = { id: id ?? this.#next, code, slot, rank, tags, version: 1, ...(this.isSoft && { deletedAt: null }) }
    this.rows = [...this.#without(undefined, row), row]
    if (id === undefined) this.#next++
    return row
  }

  /** All rows except the old one. None of them may have the unique values of the new one. */
  #without (old: ShelfRow | undefined, row: ShelfRow): ShelfRow[] {
    const others = this.rows.filter((other) => other !== old)
    const isTaken = others.some((other) => other.id === row.id || (row.code !== null && other.code === row.code) ||
      (row.slot !== null && other.slot === row.slot && isLive(other) && isLive(row)))
    if (isTaken) throw new UniqueViolationError()
    return others
  }

  #isVisible (row: ShelfRow): boolean {
    return this.seesDeleted || isLive(row)
  }

  #allOrNone<Result> (write: () => Result): Result {
    const before = this.rows
    try {
      return write()
    } catch (error) {
      this.rows = before
      throw error
    }
  }
}

function isLive ({ deletedAt }: ShelfRow): boolean {
  return deletedAt === undefined || deletedAt === null
}

function changesOf (row: NewShelfRow, existing: ShelfRow, { target, update }: Pick<ShelfUpsert, 'update'> & { target: Key }): Partial<ShelfRow> {
  if (update !== undefined && 'rank' in update) return update
  if (update !== undefined && 'add' in update) return { rank: existing.rank === null ? null : existing.rank + update.add }
  const keys = (Object.keys(row) as Array<keyof NewShelfRow>).filter((key) => row[key] !== undefined &&
    (update === undefined ? key !== target : (update as readonly unknown[]).includes(key)))
  return Object.fromEntries(keys.map((key) => [key, row[key]]))
}
