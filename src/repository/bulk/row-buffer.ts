import { newValue } from '../write/column-values.js'
import type { Change } from '../write/column-values.js'
import { elementOf } from './column-arrays.js'
import type { Element } from './column-arrays.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import type { GivenRow } from '../write/insert-pipeline.js'

/** A reusable buffer for one encoded row. The next row overwrites its arrays. */
export class RowBuffer {
  readonly codecs: ColumnCodec[] = []
  readonly values: unknown[] = []
  /** The values as array elements; shorter than `codecs` if some value cannot be one. */
  readonly elements: Element[] = []
  readonly #columns: readonly ColumnCodec[]

  constructor (columns: readonly ColumnCodec[]) {
    this.#columns = columns
  }

  /** Encodes a row. @throws ValidationError for a value that does not fit */
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
    // The arrays are only shortened: emptied ones would have to grow again for each row.
    if (this.codecs.length > columns) this.codecs.length = this.values.length = columns
    if (this.elements.length > elements) this.elements.length = elements
  }

  /** Whether every value can be an array element. */
  get fitsArrays (): boolean {
    return this.elements.length > 0 && this.elements.length === this.codecs.length
  }

  valueOf (codec: ColumnCodec): unknown {
    return this.values[this.codecs.indexOf(codec)]
  }

  /** A copy of the row that stays valid. */
  get changes (): Change[] {
    return this.codecs.map((codec, place) => [codec, this.values[place]])
  }
}
