import { newValue } from '../write/column-values.js'
import type { Change } from '../write/column-values.js'
import { elementOf } from './column-arrays.js'
import type { Element } from './column-arrays.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import type { GivenRow } from '../write/insert-pipeline.js'

/** One new row after the other: its columns, in the order of the table, and what is written into them, in arrays that serve all. */
export class RowBuffer {
  readonly codecs: ColumnCodec[] = []
  readonly values: unknown[] = []
  /** The values as elements of lists, where all of them can be. */
  readonly elements: Element[] = []
  readonly #columns: readonly ColumnCodec[]

  constructor (columns: readonly ColumnCodec[]) {
    this.#columns = columns
  }

  /** Puts a row at hand. @throws ValidationError for a value that does not fit */
  read (given: GivenRow): void {
    let columns = 0
    let elements = 0
    for (const codec of this.#columns) {
      const value = newValue(given, codec)
      if (value === undefined) continue
      this.codecs[columns] = codec
      this.values[columns++] = value
      const element = elementOf(codec, value)
      if (element !== undefined) this.elements[elements++] = element
    }
    // An array that is emptied for each row would have to grow for each.
    if (this.codecs.length > columns) this.codecs.length = this.values.length = columns
    if (this.elements.length > elements) this.elements.length = elements
  }

  /** Whether it could be a part of lists. */
  get isListable (): boolean {
    return this.elements.length > 0 && this.elements.length === this.codecs.length
  }

  valueOf (codec: ColumnCodec): unknown {
    return this.values[this.codecs.indexOf(codec)]
  }

  /** For keeps. */
  get changes (): Change[] {
    return this.codecs.map((codec, place) => [codec, this.values[place]])
  }
}
