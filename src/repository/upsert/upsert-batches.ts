import { DatabaseError } from '../../errors/errors.js'
import { sqlStates } from '../../errors/sqlstate-codes.js'
import type { StatementResult, StatementRunner } from '../../statement/statement.js'
import { explained } from '../write/failed-rows.js'
import { failedIn, sendAll, groupSize } from '../bulk/bulk-insert.js'
import { rowOf } from '../write/column-values.js'
import type { Change } from '../write/column-values.js'
import { keyValues } from './conflict-target.js'
import { Increment } from '../types/increment.js'
import { prepareInsertOrSelect, insertOrSelect } from './insert-or-select.js'
import type { InsertOrSelect, ConflictPlan, UpsertResult } from './insert-or-select.js'
import { GrowingColumnArrays, elementsOf, minArrayRows, hasColumns, maxRows } from '../bulk/column-arrays.js'
import type { Element } from '../bulk/column-arrays.js'
import type { Batch } from '../bulk/insert-batches.js'
import { insertColumnArraysOnConflict } from './on-conflict.js'
import { RowBuffer } from '../bulk/row-buffer.js'
import type { ColumnCodec, CreatedRow } from '../../values/column-codec.js'
import type { TableStatements } from '../table/table-statements.js'
import type { GivenRow, GivenRows } from '../write/insert-pipeline.js'

/** Consecutive rows with the same columns and the same conflict plan. */
interface Run {
  readonly plan: ConflictPlan
  readonly codecs: readonly ColumnCodec[]
  /** The keys of the rows, all different; undefined if the rows cannot be column arrays. */
  readonly keys: Set<string> | undefined
  /** The index of the first row among all rows, and the number of rows. */
  readonly start: number
  count: number
  /** The rows, until there are enough for column arrays. */
  readonly rows: Change[][]
  arrays: GrowingColumnArrays | undefined
  /** Statements of full column arrays. */
  readonly batches: Batch[]
}

/** How many rows are checked before anything is sent, and later while PostgreSQL works. */
const minAhead = groupSize * maxRows

/** How many single rows are sent together: enough to save round trips, few enough for memory. */
const maxSingles = 200

/** The most rows in one run of column arrays. A failed run is sent again row by row. Shorter runs would leave PostgreSQL idle between them. */
const maxRunRows = 32_000

/** cardinality_violation: two rows of a statement have the same key, although its texts differ. */
const duplicateKey = sqlStates.cardinalityViolation

/** A row that is sent alone, and its index among all rows. */
interface Single {
  readonly one: InsertOrSelect
  readonly changes: readonly Change[]
  readonly place: number
}

/** Collects the rows of an upsert and sends them in order: long runs as column arrays, the others one by one. */
export class UpsertBatches {
  readonly #table: TableStatements
  readonly #row: RowBuffer
  #taken = 0
  /** Runs of which nothing has been sent yet. */
  readonly #runs: Run[] = []
  /** The run that the next row may join. */
  #last: Run | undefined

  constructor (table: TableStatements) {
    this.#table = table
    this.#row = new RowBuffer(table.codecs)
  }

  /** @throws ValidationError for a value that does not fit, and for an incomplete key */
  add (plan: ConflictPlan, given: GivenRow): void {
    const row = this.#row
    row.read(given)
    // If different keys have the same text, a new run begins, which does no harm.
    const key = keyValues(plan.target, (codec) => row.valueOf(codec)).join()
    const fitsArrays = row.fitsArrays && !plan.mayLeave
    const last = this.#last
    const joins = last !== undefined && fitsArrays && mayJoin(last, key) && hasColumns(last.codecs, row.codecs) && isSame(last.plan.set, plan.set)
    const run = joins ? last : this.#begin(plan, fitsArrays)
    this.#taken++
    run.count++
    run.keys?.add(key)
    if (run.arrays === undefined) this.#addWaiting(run, row.changes)
    else this.#addElements(run, run.arrays, row.elements)
  }

  #begin (plan: ConflictPlan, fitsArrays: boolean): Run {
    const keys = fitsArrays ? new Set<string>() : undefined
    const run: Run = { plan, codecs: [...this.#row.codecs], keys, start: this.#taken, count: 0, rows: [], arrays: undefined, batches: [] }
    this.#runs.push(run)
    this.#last = run
    return run
  }

  #addWaiting (run: Run, changes: Change[]): void {
    run.rows.push(changes)
    if (run.keys === undefined || run.rows.length < minArrayRows) return
    run.arrays = new GrowingColumnArrays(run.codecs)
    for (const waiting of run.rows.splice(0)) this.#addElements(run, run.arrays, elementsOf(waiting))
  }

  #addElements (run: Run, arrays: GrowingColumnArrays, elements: readonly Element[]): void {
    arrays.add(elements)
    if (arrays.isFull) this.#close(run, arrays)
  }

  #close (run: Run, arrays: GrowingColumnArrays): void {
    run.batches.push({ statement: insertColumnArraysOnConflict(this.#table, run.plan, arrays.close()), rows: arrays.rows })
    run.arrays = new GrowingColumnArrays(run.codecs)
  }

  /**
   * Sends the rows, in a scope that keeps all of them or none. Later rows are checked while PostgreSQL works.
   */
  async send (session: StatementRunner, given: GivenRows): Promise<UpsertResult[]> {
    const all: UpsertResult[] = []
    let singles: Single[] = []
    const flush = async (): Promise<void> => {
      for (const result of await this.#sendSingles(session, singles)) all.push(result)
      singles = []
    }
    for (let run = this.#next(0, given); run !== undefined; run = this.#next(endOf(run), given)) {
      const { plan, arrays, rows } = run
      if (arrays !== undefined) {
        await flush()
        for (const result of await this.#sendArrays(session, run, given)) all.push(result)
      } else {
        for (const [place, changes] of rows.entries()) {
          singles.push({ one: prepareInsertOrSelect(this.#table, plan, changes), changes, place: run.start + place })
        }
        if (singles.length >= maxSingles) await flush()
      }
    }
    await flush()
    return all
  }

  /** The run that starts at an index. It is complete unless it has column arrays. */
  #next (place: number, given: GivenRows): Run | undefined {
    this.#lookAhead(place, given)
    return this.#runs.shift()
  }

  #lookAhead (place: number, { more }: GivenRows): void {
    while (this.#taken < place + minAhead && more()) continue
  }

  async #sendArrays (session: StatementRunner, run: Run, given: GivenRows): Promise<UpsertResult[]> {
    const written = await this.#writeArrays(session, run, given)
    if (written !== undefined) return written.map((result) => ({ result, written: true }))
    // The run may still be open: no more rows may join it.
    this.#last = undefined
    const { plan, start, count } = run
    return await this.#sendSingles(session, Array.from({ length: count }, (_, place): Single => {
      const changes = rowOf(given.at(start + place), this.#table)
      return { one: prepareInsertOrSelect(this.#table, plan, changes), changes, place: start + place }
    }))
  }

  /** Writes the rows, and returns them in order. Undefined if PostgreSQL did not write every row: then none is kept. */
  async #writeArrays (session: StatementRunner, run: Run, given: GivenRows): Promise<CreatedRow[] | undefined> {
    const make = (): Batch | undefined => {
      while (run.batches.length === 0 && this.#last === run && given.more()) continue
      const { batches } = run
      const arrays = run.arrays as GrowingColumnArrays // only runs with column arrays get here
      if (batches.length === 0 && arrays.rows > 0) this.#close(run, arrays)
      // While PostgreSQL works on the last batch, the next rows are checked.
      if (batches.length === 0) this.#lookAhead(endOf(run), given)
      return batches.shift()
    }
    try {
      const written: CreatedRow[] = []
      const take = ({ rows }: StatementResult<CreatedRow>): number => {
        for (const row of rows) written.push(row)
        return rows.length
      }
      const sending = { make, take, start: run.start, fewer: () => new NotAllWritten(), failed: failedIn(this.#table, given.at) }
      await session.transaction((scope) => sendAll<CreatedRow>(scope, sending))
      return written
    } catch (error) {
      if (error instanceof NotAllWritten || (error instanceof DatabaseError && error.context.sqlState === duplicateKey)) return undefined
      throw error
    }
  }

  /** Sends all rows without waiting in between; PostgreSQL runs them in order. */
  async #sendSingles (session: StatementRunner, singles: readonly Single[]): Promise<UpsertResult[]> {
    const all: UpsertResult[] = []
    const isFollowed = singles.length > 1
    for (let start = 0; start < singles.length; start += maxSingles) {
      const sending = singles.slice(start, start + maxSingles).map(async ({ one, changes, place }) => {
        try {
          return await insertOrSelect(session, one, { isFollowed })
        } catch (error) {
          throw explained(error, { table: this.#table, rows: [changes], start: one.insert.context.operation === 'upsertMany' ? place : undefined })
        }
      })
      for (const result of await Promise.all(sending)) all.push(result)
    }
    return all
  }
}

/** The index after its last row. */
function endOf ({ start, count }: Run): number {
  return start + count
}

/** Whether a row with this key can join the column arrays of a run. */
function mayJoin ({ keys, count }: Run, key: string): boolean {
  return keys?.has(key) === false && count < maxRunRows
}

/** Undoes a run of column arrays in which a row was not written. */
class NotAllWritten extends Error {}

/** Whether two updates write the same values. */
function isSame (some: readonly Change[], others: readonly Change[]): boolean {
  return some === others || (some.length === others.length && some.every(([codec, value], place) => {
    const [otherCodec, other] = others[place] as Change
    return codec === otherCodec && (value === other || (value instanceof Increment && other instanceof Increment && value.by === other.by))
  }))
}
