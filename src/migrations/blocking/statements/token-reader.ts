import { fullName } from './full-name.js'
import { isToken, nameOf, type SqlToken } from './sql-token.js'

/** Reads the tokens of a statement from left to right. */
export class TokenReader {
  readonly #tokens: readonly SqlToken[]
  #next = 0

  constructor (tokens: readonly SqlToken[]) {
    this.#tokens = tokens
  }

  get isDone (): boolean {
    return this.#next >= this.#tokens.length
  }

  /** Whether these keywords or signs come next. */
  is (words: string): boolean {
    return words.split(' ').every((word, index) => {
      const token = this.#tokens[this.#next + index]
      return token !== undefined && isToken(token, word)
    })
  }

  /** Takes these keywords or signs if they come next. */
  take (words: string): boolean {
    const is = this.is(words)
    if (is) this.#next += words.split(' ').length
    return is
  }

  /** Takes the next token, whatever it is. */
  token (): SqlToken | undefined {
    return this.#tokens[this.#next++]
  }

  /** Takes a name; empty if nothing is left. */
  name (): string {
    const token = this.token()
    return token === undefined ? '' : nameOf(token)
  }

  /** Takes the name of a table, an index or a view, which may have a schema, as {@link fullName} writes it. */
  fullName (): string {
    const parts = [this.name()]
    while (this.take('.')) parts.push(this.name())
    return fullName(parts)
  }

  /** Takes the tokens between parentheses; none if no parenthesis comes next. */
  group (): SqlToken[] {
    if (!this.take('(')) return []
    const inside = this.until(')')
    this.take(')')
    return inside
  }

  /** Takes the tokens up to the first of these keywords or signs outside parentheses. */
  until (...words: readonly string[]): SqlToken[] {
    const from = this.#next
    for (let depth = 0; this.#next < this.#tokens.length; this.#next++) {
      if (depth === 0 && words.some((word) => this.is(word))) break
      if (this.is('(')) depth++
      if (this.is(')')) depth--
    }
    return this.#tokens.slice(from, this.#next)
  }

  /** Takes all tokens that are left. */
  rest (): SqlToken[] {
    return this.until()
  }
}
