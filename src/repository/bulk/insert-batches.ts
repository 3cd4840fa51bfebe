import type { Statement } from '../../statement/statement.js'
import type { Change } from '../write/column-values.js'
import { insertColumnArrays } from './unnest.js'
import { GrowingColumnArrays, columnsOf, elementsOf, fewRows, hasColumns, mostRows } from './column-arrays.js'
import type { Element } from './column-arrays.js'
import { RowBuffer } from './row-buffer.js'
import type { TableStatements } from '../table/table-statements.js'
import type { GivenRow } from '../write/insert-pipeline.js'
import { insert } from '../write/write-statements.js'

/** PostgreSQL takes 65,535 parameters; half of them keeps Drizzle, which passes them as arguments, clear of the end of the stack. */
const mostParameters = 32_000

/** A statement of new rows, which PostgreSQL answers with as many. */
export interface Batch {
  readonly statement: Statement
  readonly rows: number
}

/**
 * Makes statements of new rows while they come, so that no more than their texts are kept of them.
 *
 * Rows of the same columns become lists. Where columns differ from row to row, or a value is SQL, they are written out, so that
 * all are inserted in the order in which they came.
 */
export class NewRows {
  readonly #table: TableStatements
  readonly #operation: string
  readonly #batches: Batch[] = []
  /** Rows that wait, and how many of the last of them could be lists together. */
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

  /** The next statement, of rows that are still to be joined by others where none is complete; undefined where there are none. */
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
    if (lists !== undefined && lists.rows > 0) this.#batches.push({ statement: insertColumnArrays(this.#table, this.#operation, lists.close()), rows: lists.rows })
  }

  /** Writes out the first rows that wait. */
  #writeOut (count: number): void {
    const rows = this.#waiting.splice(0, count)
    this.#parameters = this.#waiting.reduce((sum, row) => sum + row.length, 0)
    if (rows.length > 0) this.#batches.push({ statement: insert(this.#table, this.#operation, rows), rows: rows.length })
  }
}
