import { DatabaseError } from '../../errors/errors.js'
import type { StatementRunner } from '../../statement/statement.js'
import { explained } from '../write/failed-rows.js'
import { failedIn, sendAll, together } from '../bulk/bulk-insert.js'
import { rowOf } from '../write/column-values.js'
import type { Change } from '../write/column-values.js'
import { keyOf } from './conflict-target.js'
import { Increment } from '../types/increment.js'
import { insertOrSelect, settle } from './insert-or-select.js'
import type { InsertOrSelect, ConflictPlan, UpsertResult } from './insert-or-select.js'
import { GrowingColumnArrays, elementsOf, fewRows, hasColumns, mostRows } from '../bulk/column-arrays.js'
import type { Element } from '../bulk/column-arrays.js'
import type { Batch } from '../bulk/insert-batches.js'
import { insertColumnArraysOnConflict } from './on-conflict.js'
import { RowBuffer } from '../bulk/row-buffer.js'
import type { ColumnCodec, CreatedRow } from '../../values/column-codec.js'
import type { TableStatements } from '../table/table-statements.js'
import type { GivenRow, GivenRows } from '../write/insert-pipeline.js'

/** Rows one after another that have the same columns and are met in the same way. */
interface Run {
  readonly meeting: ConflictPlan
  readonly codecs: readonly ColumnCodec[]
  /** The keys of the rows, no two of them the same; undefined where the rows cannot be lists. */
  readonly keys: Set<string> | undefined
  /** Its first row, by its place among all, and how many there are. */
  readonly start: number
  count: number
  /** The rows, until they are enough to be worth lists. */
  readonly rows: Change[][]
  lists: GrowingColumnArrays | undefined
  /** Of lists that are full. */
  readonly batches: Batch[]
}

/** How many rows are checked before anything is sent, and later while PostgreSQL is at work. */
const fewestAhead = together * mostRows

/** How many rows that are no lists are under way together: several messages to PostgreSQL, and not all of them in memory. */
const mostTogether = 200

/** How many rows in lists are undone together to be sent by themselves; fewer of them would let PostgreSQL wait between. */
const mostListed = 32_000

/** PostgreSQL's cardinality_violation: rows of a list have the same key, though its texts differ. */
const sameKeyTwice = '21000'

/** A row that is sent by itself, and its place among all. */
interface Single {
  readonly one: InsertOrSelect
  readonly changes: readonly Change[]
  readonly place: number
}

/** Takes the rows of an upsert, and sends them in their order: as lists where these are worth it, the others each by itself. */
export class UpsertRuns {
  readonly #table: TableStatements
  readonly #row: RowBuffer
  #taken = 0
  /** Those of which nothing is sent yet. */
  readonly #runs: Run[] = []
  /** The one that the next row may join. */
  #last: Run | undefined

  constructor (table: TableStatements) {
    this.#table = table
    this.#row = new RowBuffer(table.codecs)
  }

  /** @throws ValidationError for a value that does not fit, and where the key of the row is not complete */
  add (meeting: ConflictPlan, given: GivenRow): void {
    const row = this.#row
    row.read(given)
    // Keys that only look the same are merely kept apart.
    const key = keyOf(meeting.target, (codec) => row.valueOf(codec)).join()
    const isListable = row.isListable && !meeting.mayLeave
    const last = this.#last
    const joins = last !== undefined && isListable && mayJoin(last, key) && hasColumns(last.codecs, row.codecs) && isSame(last.meeting.set, meeting.set)
    const run = joins ? last : this.#begin(meeting, isListable)
    this.#taken++
    run.count++
    run.keys?.add(key)
    if (run.lists === undefined) this.#wait(run, row.changes)
    else this.#list(run, run.lists, row.elements)
  }

  #begin (meeting: ConflictPlan, isListable: boolean): Run {
    const run: Run = { meeting, codecs: [...this.#row.codecs], keys: isListable ? new Set() : undefined, start: this.#taken, count: 0, rows: [], lists: undefined, batches: [] }
    this.#runs.push(run)
    this.#last = run
    return run
  }

  #wait (run: Run, changes: Change[]): void {
    run.rows.push(changes)
    if (run.keys === undefined || run.rows.length < fewRows) return
    run.lists = new GrowingColumnArrays(run.codecs)
    for (const waiting of run.rows.splice(0)) this.#list(run, run.lists, elementsOf(waiting))
  }

  #list (run: Run, lists: GrowingColumnArrays, elements: readonly Element[]): void {
    lists.add(elements)
    if (lists.isFull) this.#close(run, lists)
  }

  #close (run: Run, lists: GrowingColumnArrays): void {
    run.batches.push({ statement: insertColumnArraysOnConflict(this.#table, run.meeting, lists.close()), rows: lists.rows })
    run.lists = new GrowingColumnArrays(run.codecs)
  }

  /**
   * Sends the rows, inside a scope where all of them or none are kept. They are taken some statements ahead of PostgreSQL, which
   * is at work meanwhile.
   */
  async send (session: StatementRunner, given: GivenRows): Promise<UpsertResult[]> {
    const all: UpsertResult[] = []
    let singles: Single[] = []
    const settled = async (): Promise<void> => {
      for (const met of await this.#settleSingles(session, singles)) all.push(met)
      singles = []
    }
    for (let run = this.#next(0, given); run !== undefined; run = this.#next(endOf(run), given)) {
      const { meeting, lists, rows } = run
      if (lists !== undefined) {
        await settled()
        for (const met of await this.#settleLists(session, run, given)) all.push(met)
      } else {
        for (const [place, changes] of rows.entries()) singles.push({ one: insertOrSelect(this.#table, meeting, changes), changes, place: run.start + place })
        if (singles.length >= mostTogether) await settled()
      }
    }
    await settled()
    return all
  }

  /** The run that starts at a place, which is whole unless it has lists. */
  #next (place: number, given: GivenRows): Run | undefined {
    this.#lookAhead(place, given)
    return this.#runs.shift()
  }

  #lookAhead (place: number, { more }: GivenRows): void {
    while (this.#taken < place + fewestAhead && more()) continue
  }

  async #settleLists (session: StatementRunner, run: Run, given: GivenRows): Promise<UpsertResult[]> {
    const written = await this.#writeLists(session, run, given)
    if (written !== undefined) return written.map((result) => ({ result, written: true }))
    // It may not have grown to its end.
    this.#last = undefined
    const { meeting, start, count } = run
    return await this.#settleSingles(session, Array.from({ length: count }, (_, place): Single => {
      const changes = rowOf(given.at(start + place), this.#table)
      return { one: insertOrSelect(this.#table, meeting, changes), changes, place: start + place }
    }))
  }

  /** The rows as written, in order; undefined where PostgreSQL did not write each of them, and none is: then they have to be asked for one by one. */
  async #writeLists (session: StatementRunner, run: Run, given: GivenRows): Promise<CreatedRow[] | undefined> {
    const make = (): Batch | undefined => {
      while (run.batches.length === 0 && this.#last === run && given.more()) continue
      const { batches } = run
      const lists = run.lists as GrowingColumnArrays // it is long
      if (batches.length === 0 && lists.rows > 0) this.#close(run, lists)
      // PostgreSQL is at work on the last of them, and there is time to look at the rows behind.
      if (batches.length === 0) this.#lookAhead(endOf(run), given)
      return batches.shift()
    }
    try {
      return await session.transaction((scope) => sendAll<CreatedRow>(scope, { make, start: run.start, fewer: () => new NotAllWritten(), failed: failedIn(this.#table, given.at) }))
    } catch (error) {
      if (error instanceof NotAllWritten || (error instanceof DatabaseError && error.context.sqlState === sameKeyTwice)) return undefined
      throw error
    }
  }

  /** Each waits for none of its answers: those that travel together are carried out in order. */
  async #settleSingles (session: StatementRunner, singles: readonly Single[]): Promise<UpsertResult[]> {
    const all: UpsertResult[] = []
    const isFollowed = singles.length > 1
    for (let start = 0; start < singles.length; start += mostTogether) {
      const settling = singles.slice(start, start + mostTogether).map(async ({ one, changes, place }) => {
        try {
          return await settle(session, one, { isFollowed })
        } catch (error) {
          throw explained(error, { table: this.#table, rows: [changes], start: one.insert.context.operation === 'upsertMany' ? place : undefined })
        }
      })
      for (const met of await Promise.all(settling)) all.push(met)
    }
    return all
  }
}

/** The place behind its last row. */
function endOf ({ start, count }: Run): number {
  return start + count
}

/** Whether a row with this key can be listed with those of a run. */
function mayJoin ({ keys, count }: Run, key: string): boolean {
  return keys?.has(key) === false && count < mostListed
}

/** Nothing of a list is kept unless each of its rows was written. */
class NotAllWritten extends Error {}

/** Whether the same is written. */
function isSame (some: readonly Change[], others: readonly Change[]): boolean {
  return some === others || (some.length === others.length && some.every(([codec, value], place) => {
    const [otherCodec, other] = others[place] as Change
    return codec === otherCodec && (value === other || (value instanceof Increment && other instanceof Increment && value.by === other.by))
  }))
}
