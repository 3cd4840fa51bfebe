/**
 * Arrays as PostgreSQL writes and reads them, of every type and depth.
 * https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
import { UnreadableText } from './unreadable-text.js'

/** How the elements of an array are read, and what stands between them. */
export interface ArrayForm {
  /** A comma but for few types: a semicolon between boxes, a colon between PostGIS's geometries. */
  readonly delimiter: string
  /** The text of an element to JavaScript; undefined where it stays text. */
  readonly read: ((text: string) => unknown) | undefined
}

/**
 * The elements of an array, and those of its arrays, whatever number its first one has (`[0:1]={1,2}`).
 *
 * @throws UnreadableText for a text that is no array of PostgreSQL's
 */
export function readArray (text: string, form: ArrayForm): unknown[] {
  const start = text[0] === '[' ? text.indexOf('=') + 1 : 0
  if (text[start] !== '{') throw malformed()
  return new ArrayText(text, start, form).array()
}

function malformed (): UnreadableText {
  return new UnreadableText('it is declared as an array, and holds something else')
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

  /** Reads from a brace to the one that closes it. */
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

  /** PostgreSQL puts quotes around whatever holds a sign of its own, so a plain element ends at the next one. */
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

/** What is to be written as an array. */
export interface ArrayWriting {
  readonly delimiter: string
  /** How many arrays are in each other; what is in the innermost is an element, even if it is an array to JavaScript. */
  readonly depth: number
  /** The text of an element. @throws where it has none */
  readonly write: (value: unknown) => string
}

/** An array as PostgreSQL reads it. @throws what `write` throws */
export function writeArray (values: readonly unknown[], { delimiter, depth, write }: ArrayWriting): string {
  const inner = { delimiter, depth: depth - 1, write }
  const items = values.map((value) => {
    if (value === null) return 'NULL'
    return depth > 1 ? writeArray(value as readonly unknown[], inner) : `"${escaped(write(value))}"` // the column's acceptor has seen arrays to this depth
  })
  return `{${items.join(delimiter)}}`
}

/** A text between the quotes of an element: one would end it, and a backslash escapes what stands behind it. Faster than a regular expression. */
export function escaped (text: string): string {
  const doubled = text.includes('\\') ? text.replaceAll('\\', '\\\\') : text
  return doubled.includes('"') ? doubled.replaceAll('"', '\\"') : doubled
}
