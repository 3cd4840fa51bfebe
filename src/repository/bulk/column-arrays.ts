/**
 * New rows as column arrays: one PostgreSQL array for each column, for any number of rows. A thousand values are one parameter.
 * https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
import type { Change } from '../write/column-values.js'
import { escaped } from '../../values/array-text.js'
import { prepareValue } from '../../pg/values.js'
import { isSql } from '../../values/column-codec.js'
import type { ColumnCodec } from '../../values/column-codec.js'

/** The text of an element between its quotes; null for SQL's NULL, which has none. */
export type Element = string | null

/**
 * Turns an encoded value into an element of its column's array. Undefined for SQL, and for a Buffer unless the type is `bytea`:
 * they have no text.
 */
export function elementOf (codec: ColumnCodec, value: unknown): Element | undefined {
  if (codec.list === undefined) return undefined
  if (typeof value === 'string') return escaped(value)
  if (value === null) return null
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (isSql(value)) return undefined
  const text = prepareValue(value)
  if (typeof text === 'string') return escaped(text)
  return text !== null && codec.bytes ? `\\\\x${text.toString('hex')}` : undefined
}

/** The elements of a row whose values can all be elements. */
export function elementsOf (row: readonly Change[]): Element[] {
  return row.map(([codec, value]) => elementOf(codec, value) as Element)
}

/** New rows with the same columns: an array for each column. */
export interface ColumnArrays {
  readonly codecs: readonly ColumnCodec[]
  readonly arrays: readonly string[]
  /** The number of elements of each array. */
  readonly rows: number
}

/** The most rows in a statement. More are not faster. */
export const maxRows = 1000

/** The most characters in a statement. More are not faster, because PostgreSQL sorts them in memory. */
const maxCharacters = 1_000_000

/** From this many consecutive rows with the same columns, a statement with arrays is faster. */
export const minArrayRows = 50

/** Column arrays that grow row by row until they make a statement. */
export class GrowingColumnArrays {
  readonly codecs: readonly ColumnCodec[]
  readonly #columns: Element[][]
  readonly #hasNull: boolean[]
  #rows = 0
  #characters = 0

  constructor (codecs: readonly ColumnCodec[]) {
    this.codecs = codecs
    this.#columns = codecs.map(() => [])
    this.#hasNull = codecs.map(() => false)
  }

  get rows (): number {
    return this.#rows
  }

  get isFull (): boolean {
    return this.#rows >= maxRows || this.#characters >= maxCharacters
  }

  /** One element for each column. */
  add (row: readonly Element[]): void {
    for (let place = 0; place < row.length; place++) {
      const element = row[place] as Element
      this.#columns[place]?.push(element)
      if (element === null) this.#hasNull[place] = true
      else this.#characters += element.length
    }
    this.#rows++
  }

  close (): ColumnArrays {
    return { codecs: this.codecs, arrays: this.#columns.map((elements, place) => this.#hasNull[place] ? sparse(elements) : full(elements)), rows: this.#rows }
  }
}

function full (elements: readonly Element[]): string {
  return `{"${elements.join('","')}"}`
}

function sparse (elements: readonly Element[]): string {
  return `{${elements.map((element) => element === null ? 'null' : `"${element}"`).join(',')}}`
}

/** The columns of a row, in its order. */
export function columnsOf (row: readonly Change[]): ColumnCodec[] {
  return row.map(([codec]) => codec)
}

/** Whether these are the same columns in the same order. */
export function hasColumns (some: readonly ColumnCodec[], others: readonly ColumnCodec[]): boolean {
  if (some.length !== others.length) return false
  for (let place = 0; place < some.length; place++) if (some[place] !== others[place]) return false
  return true
}
