/** The model of writes: a map, with the expected effect and result of each method. */
import { EmptyFilterError, NotFoundError, StaleRowError, UniqueViolationError, UsageError } from '../../../src/index.js'
import { extentOf, truthOf } from './predicates.js'
import type { Entry } from './entries.js'
import type { Item } from './items.js'
import type { Visibility } from './model.js'
import type { Predicate } from './predicates.js'
import type { Changes, NewEntry, Write } from './write-cases.js'

/** Stands for a time of the database. */
export const byTheClock = new Date(8.64e15)

const nothing: Omit<Entry, 'id'> = { word: null, rank: null, score: null, flag: null, at: null, tags: null, doc: null, deletedAt: null, version: 1 }

export class WritingModel {
  readonly #soft: boolean
  #rows: Map<number, Entry>

  constructor (rows: readonly Item[], soft: boolean) {
    this.#soft = soft
    this.#rows = new Map(rows.map((row) => [row.id, { ...nothing, ...row, ...!soft && { deletedAt: null } }]))
  }

  /** All rows, by their keys. */
  get rows (): Entry[] {
    return Array.from(this.#rows.values()).sort((one, other) => one.id - other.id)
  }

  /** The result of the call, or the class of its error. After an error nothing has changed. */
  call (write: Write, visibility: Visibility): unknown {
    const before = new Map(this.#rows)
    try {
      return this.#call(write, visibility)
    } catch (error) {
      this.#rows = before
      if (error instanceof Refusal) return error.reason
      throw error
    }
  }

  #call (write: Write, visibility: Visibility): unknown {
    const seen = (id: number): Entry | undefined => this.#visible(visibility).find((row) => row.id === id)
    switch (write.method) {
      case 'create': return this.#create(write.row)
      case 'createMany': {
        const created = write.rows.map((row) => this.#create(row))
        return write.returning ? created : created.length
      }
      case 'update': return this.#update(seen(write.id), write)
      case 'updateOrThrow': return this.#update(seen(write.id), write) ?? refuse(NotFoundError)
      case 'updateMany': return this.#matching(write, visibility).map((row) => this.#change(row, write.changes)).length
      case 'delete': return this.#remove(seen(write.id)) !== undefined
      case 'deleteOrThrow': return this.#remove(seen(write.id)) ?? refuse(NotFoundError)
      case 'deleteMany': return this.#matching(write, visibility).map((row) => this.#remove(row)).length
      case 'softDelete': return this.#mark(write.id, { isDeleted: false, deletedAt: byTheClock })
      case 'restore': return this.#mark(write.id, { isDeleted: true, deletedAt: null })
      case 'purge': return this.#purge(write.olderThan)
    }
  }

  #visible (visibility: Visibility): Entry[] {
    return this.rows.filter(({ deletedAt }) => !this.#soft || visibility === 'all' || (deletedAt === null) === (visibility === 'live'))
  }

  #matching ({ predicate, all }: { predicate: Predicate, all: boolean }, visibility: Visibility): Entry[] {
    if (extentOf(predicate) === 'all' && !all) refuse(EmptyFilterError)
    return this.#visible(visibility).filter((row) => truthOf(predicate, row) === true)
  }

  #create (given: NewEntry): Entry {
    if (this.#rows.has(given.id)) refuse(UniqueViolationError)
    return this.#keep({ ...nothing, ...given })
  }

  #update (row: Entry | undefined, { changes, expectedVersion }: { changes: Changes, expectedVersion: number | undefined }): Entry | undefined {
    if (expectedVersion !== undefined && !this.#soft) refuse(UsageError)
    if (row === undefined) return undefined
    if (expectedVersion !== undefined && expectedVersion !== row.version) refuse(StaleRowError)
    return this.#change(row, changes)
  }

  #change (row: Entry, { values, more }: Changes): Entry {
    if (Object.keys({ ...values, ...more }).length === 0) return row
    const rank = more.rank === undefined || row.rank === null ? {} : { rank: row.rank + more.rank }
    const score = more.score === undefined || row.score === null ? {} : { score: sum(row.score, more.score) }
    return this.#keep({ ...row, ...values, ...rank, ...score, version: row.version + 1 })
  }

  #mark (id: number, { isDeleted, deletedAt }: { isDeleted: boolean, deletedAt: Date | null }): Entry | undefined {
    if (!this.#soft) refuse(UsageError)
    const row = this.#rows.get(id)
    if (row === undefined || (row.deletedAt !== null) !== isDeleted) return undefined
    return this.#keep({ ...row, deletedAt, version: row.version + 1 })
  }

  /** All deletions of the model happened in the last ten years, after every time that a purge gets. */
  #purge (olderThan: Date | number): number {
    if (!this.#soft) refuse(UsageError)
    const isOld = (deletedAt: Date): boolean => typeof olderThan === 'number' ? olderThan === 0 : deletedAt < olderThan
    return this.rows.filter(({ deletedAt }) => deletedAt !== null && isOld(deletedAt)).map((row) => this.#remove(row)).length
  }

  #remove (row: Entry | undefined): Entry | undefined {
    if (row !== undefined) this.#rows.delete(row.id)
    return row
  }

  #keep (row: Entry): Entry {
    this.#rows.set(row.id, row)
    return row
  }
}

class Refusal extends Error {
  readonly reason: unknown

  constructor (reason: unknown) {
    super('The call rejects')
    this.reason = reason
  }
}

function refuse (reason: unknown): never {
  throw new Refusal(reason)
}

/** Adds numerics as PostgreSQL does: the sum has as many decimal places as the longer operand. */
function sum (one: string, other: string): string {
  const places = Math.max(...[one, other].map((text) => text.split('.')[1]?.length ?? 0))
  return (Number(one) + Number(other)).toFixed(places)
}
