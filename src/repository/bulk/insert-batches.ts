import type { Statement } from '../../statement/statement.js'
import type { Change } from '../write/column-values.js'
import { insertColumnArrays } from './unnest.js'
import { GrowingColumnArrays, columnsOf, elementsOf, fewRows, hasColumns, mostRows } from './column-arrays.js'
import type { Element } from './column-arrays.js'
import { RowBuffer } from './row-buffer.js'
import type { TableStatements } from '../table/table-statements.js'
import type { GivenRow } from '../write/insert-pipeline.js'
import { insert } from '../write/write-statements.js'

/** PostgreSQL allows 65,535 parameters. Drizzle passes them as function arguments; about half of them fits the stack. */
const mostParameters = 32_000

/** A statement that inserts rows, and their number. */
export interface Batch {
  readonly statement: Statement
  readonly rows: number
}

/**
 * Turns new rows into statements as they come, so that only their texts are kept in memory.
 *
 * Consecutive rows with the same columns become column arrays. Rows with different columns or SQL values become VALUES lists.
 * All rows are inserted in the given order.
 */
export class NewRows {
  readonly #table: TableStatements
  readonly #operation: string
  readonly #batches: Batch[] = []
  /** Rows not in a statement yet, and how many of the last ones could be arrays together. */
  #waiting: Array<readonly Change[]> = []
  #alike = 0
  #parameters = 0
  #lists: GrowingColumnArrays | undefined
  readonly #row: RowBuffer

  constructor (table: TableStatements, operation: string) {
    this.#table = table
    this.#operation = operation
    this.#row = new RowBuffer(table.codecs)
  }

  /** @throws ValidationError for a value that does not fit */
  add (given: GivenRow): void {
    const row = this.#row
    row.read(given)
    if (this.#lists !== undefined && row.isListable && hasColumns(row.codecs, this.#lists.codecs)) return this.#list(this.#lists, row.elements)
    this.#closeLists()
    this.#wait(row)
  }

  /** Whether a statement is complete. */
  get hasNext (): boolean { return this.#batches.length > 0 }

  /** The next statement: a complete one, or else one of the rows so far; undefined if there are none. */
  next (): Batch | undefined {
    if (!this.hasNext) this.#finish()
    return this.#batches.shift()
  }

  #finish (): void {
    if (this.#alike === this.#waiting.length) this.#listWaiting()
    this.#closeLists()
    this.#writeOut(this.#waiting.length)
  }

  #wait ({ codecs, changes, isListable }: RowBuffer): void {
    if (this.#waiting.length === mostRows || this.#parameters + changes.length > mostParameters) this.#writeOut(this.#waiting.length)
    const before = this.#waiting.at(-1)
    const isAlike = this.#alike > 0 && before !== undefined && hasColumns(codecs, columnsOf(before))
    this.#alike = isListable ? (isAlike ? this.#alike + 1 : 1) : 0
    this.#waiting.push(changes)
    this.#parameters += changes.length
    if (this.#alike < fewRows) return
    this.#writeOut(this.#waiting.length - this.#alike)
    this.#listWaiting()
  }

  #listWaiting (): void {
    const [first] = this.#waiting
    if (first === undefined) return
    this.#lists = new GrowingColumnArrays(columnsOf(first))
    for (const row of this.#waiting.splice(0)) this.#list(this.#lists, elementsOf(row))
    this.#alike = this.#parameters = 0
  }

  #list (lists: GrowingColumnArrays, elements: readonly Element[]): void {
    lists.add(elements)
    if (!lists.isFull) return
    this.#closeLists()
    this.#lists = new GrowingColumnArrays(lists.codecs)
  }

  #closeLists (): void {
    const lists = this.#lists
    this.#lists = undefined
    if (lists === undefined || lists.rows === 0) return
    this.#batches.push({ statement: insertColumnArrays(this.#table, this.#operation, lists.close()), rows: lists.rows })
  }

  /** Makes a VALUES statement of the first waiting rows. */
  #writeOut (count: number): void {
    const rows = this.#waiting.splice(0, count)
    this.#parameters = this.#waiting.reduce((sum, row) => sum + row.length, 0)
    if (rows.length > 0) this.#batches.push({ statement: insert(this.#table, this.#operation, rows), rows: rows.length })
  }
}
