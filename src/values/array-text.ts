/**
 * Reads and writes the text of PostgreSQL arrays, of any type and depth.
 * https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
import { UnreadableText } from './unreadable-text.js'

/** How the elements of an array are delimited and read. */
export interface ArrayForm {
  /** A comma except for a few types: a semicolon for boxes, a colon for geometries of PostGIS. */
  readonly delimiter: string
  /** Converts the text of an element; undefined if it stays text. */
  readonly read: ((text: string) => unknown) | undefined
}

/**
 * Reads the elements of an array and of its nested arrays; any lower bound is ignored (`[0:1]={1,2}`).
 *
 * @throws UnreadableText for a text that is not a PostgreSQL array
 */
export function readArray (text: string, form: ArrayForm): unknown[] {
  const start = text[0] === '[' ? text.indexOf('=') + 1 : 0
  if (text[start] !== '{') throw malformed()
  return new ArrayText(text, start, form).array()
}

function malformed (): UnreadableText {
  return new UnreadableText('it is declared as an array, but holds another value')
}

class ArrayText {
  readonly #text: string
  readonly #form: ArrayForm
  #place: number

  constructor (text: string, start: number, form: ArrayForm) {
    this.#text = text
    this.#place = start
    this.#form = form
  }

  /** Reads from an opening brace to its closing one. */
  array (): unknown[] {
    const text = this.#text
    const { delimiter } = this.#form
    const items: unknown[] = []
    if (text[++this.#place] === '}') {
      this.#place++
      return items
    }
    for (;;) {
      items.push(this.#item())
      const sign = text[this.#place++]
      if (sign === '}') return items
      if (sign !== delimiter) throw malformed()
    }
  }

  #item (): unknown {
    const sign = this.#text[this.#place]
    if (sign === '{') return this.array()
    const isQuoted = sign === '"'
    const element = isQuoted ? this.#quoted() : this.#plain()
    if (!isQuoted && element === 'NULL') return null
    const { read } = this.#form
    return read === undefined ? element : read(element)
  }

  /** PostgreSQL quotes every element with a special character, so an unquoted one ends at the next delimiter or brace. */
  #plain (): string {
    const text = this.#text
    const { delimiter } = this.#form
    const start = this.#place
    while (this.#place < text.length && text[this.#place] !== delimiter && text[this.#place] !== '}') this.#place++
    return text.slice(start, this.#place)
  }

  #quoted (): string {
    const text = this.#text
    let element = ''
    let start = ++this.#place
    for (; text[this.#place] !== '"'; this.#place++) {
      if (this.#place >= text.length) throw malformed()
      if (text[this.#place] !== '\\') continue
      element += text.slice(start, this.#place)
      start = ++this.#place
    }
    return element + text.slice(start, this.#place++)
  }
}

/** How an array is written. */
export interface ArrayWriting {
  readonly delimiter: string
  /** The number of dimensions. A value at that depth is an element, even if it is a JavaScript array. */
  readonly depth: number
  /** The text of an element. @throws if it has none */
  readonly write: (value: unknown) => string
}

/** Writes the text of an array. @throws the errors of `write` */
export function writeArray (values: readonly unknown[], { delimiter, depth, write }: ArrayWriting): string {
  const inner = { delimiter, depth: depth - 1, write }
  const items = values.map((value) => {
    if (value === null) return 'NULL'
    return depth > 1 ? writeArray(value as readonly unknown[], inner) : `"${escaped(write(value))}"` // the column's acceptor has checked arrays to this depth
  })
  return `{${items.join(delimiter)}}`
}

/** Escapes quotes and backslashes in a quoted element. Faster than a regular expression. */
export function escaped (text: string): string {
  const doubled = text.includes('\\') ? text.replaceAll('\\', '\\\\') : text
  return doubled.includes('"') ? doubled.replaceAll('"', '\\"') : doubled
}
