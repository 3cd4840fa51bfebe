import type { Statement } from '../../statement/statement.js'
import type { Change } from '../write/column-values.js'
import { insertColumnArrays } from './unnest.js'
import { GrowingColumnArrays, columnsOf, elementsOf, minArrayRows, hasColumns, maxRows } from './column-arrays.js'
import type { Element } from './column-arrays.js'
import { RowBuffer } from './row-buffer.js'
import type { TableStatements } from '../table/table-statements.js'
import type { GivenRow } from '../write/insert-pipeline.js'
import { insert } from '../write/write-statements.js'
import type { InsertStatements } from '../write/write-statements.js'

/** PostgreSQL allows 65,535 parameters. Drizzle passes them as function arguments, and about half of that fits the stack. */
const maxParameters = 32_000

/** A statement that inserts rows, and their number. */
export interface Batch {
  readonly statement: Statement
  readonly rows: number
}

/**
 * Turns new rows into statements one by one, so that only their texts stay in memory.
 *
 * Consecutive rows with the same columns become column arrays. Rows with different columns or SQL values become VALUES arrays.
 * All rows are inserted in the given order.
 */
export class InsertBatches {
  readonly #table: TableStatements
  readonly #statements: InsertStatements
  readonly #batches: Batch[] = []
  /** The rows that are in no statement yet, and how many of the last ones could be arrays together. */
  #waiting: Array<readonly Change[]> = []
  #alike = 0
  #parameters = 0
  #arrays: GrowingColumnArrays | undefined
  readonly #row: RowBuffer

  constructor (table: TableStatements, statements: InsertStatements) {
    this.#table = table
    this.#statements = statements
    this.#row = new RowBuffer(table.codecs)
  }

  /** @throws ValidationError for a value that does not fit */
  add (given: GivenRow): void {
    const row = this.#row
    row.read(given)
    if (this.#arrays !== undefined && row.fitsArrays && hasColumns(row.codecs, this.#arrays.codecs)) return this.#addElements(this.#arrays, row.elements)
    this.#closeArrays()
    this.#addWaiting(row)
  }

  /** Whether a statement is complete. */
  get hasNext (): boolean { return this.#batches.length > 0 }

  /** The next complete statement, else a statement of the rows so far. Undefined if there are no rows. */
  next (): Batch | undefined {
    if (!this.hasNext) this.#finish()
    return this.#batches.shift()
  }

  #finish (): void {
    if (this.#alike === this.#waiting.length) this.#moveToArrays()
    this.#closeArrays()
    this.#writeOut(this.#waiting.length)
  }

  #addWaiting ({ codecs, changes, fitsArrays }: RowBuffer): void {
    if (this.#waiting.length === maxRows || this.#parameters + changes.length > maxParameters) this.#writeOut(this.#waiting.length)
    const before = this.#waiting.at(-1)
    const isAlike = this.#alike > 0 && before !== undefined && hasColumns(codecs, columnsOf(before))
    this.#alike = fitsArrays ? (isAlike ? this.#alike + 1 : 1) : 0
    this.#waiting.push(changes)
    this.#parameters += changes.length
    if (this.#alike < minArrayRows) return
    this.#writeOut(this.#waiting.length - this.#alike)
    this.#moveToArrays()
  }

  #moveToArrays (): void {
    const [first] = this.#waiting
    if (first === undefined) return
    this.#arrays = new GrowingColumnArrays(columnsOf(first))
    for (const row of this.#waiting.splice(0)) this.#addElements(this.#arrays, elementsOf(row))
    this.#alike = this.#parameters = 0
  }

  #addElements (arrays: GrowingColumnArrays, elements: readonly Element[]): void {
    arrays.add(elements)
    if (!arrays.isFull) return
    this.#closeArrays()
    this.#arrays = new GrowingColumnArrays(arrays.codecs)
  }

  #closeArrays (): void {
    const arrays = this.#arrays
    this.#arrays = undefined
    if (arrays === undefined || arrays.rows === 0) return
    this.#batches.push({ statement: insertColumnArrays(this.#table, this.#statements, arrays.close()), rows: arrays.rows })
  }

  /** Makes a VALUES statement of the first waiting rows. */
  #writeOut (count: number): void {
    const rows = this.#waiting.splice(0, count)
    this.#parameters = this.#waiting.reduce((sum, row) => sum + row.length, 0)
    if (rows.length > 0) this.#batches.push({ statement: insert(this.#table, this.#statements, rows), rows: rows.length })
  }
}
