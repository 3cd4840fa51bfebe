/**
 * SQL read as PostgreSQL's own lexer does, as far as that is needed to tell where a statement ends and what its words are:
 * a semicolon, a keyword or a mark inside a string, a quoted name, a function's body or a comment is none.
 *
 * The rules are those of psql, which has to find the end of a statement, too: a semicolon in parentheses belongs to a rule, one between
 * BEGIN ATOMIC and END to a function.
 */

/** One statement of a text. */
export interface SqlStatement {
  /** Without the semicolon, with the comments that stand before it. */
  readonly sql: string
  /** Its first words: in capitals, quoted names with their quotes, anything else but strings, spaces and comments one character each. */
  readonly words: readonly string[]
}

/** What a text holds. */
export interface ScannedSql {
  /** Those that have words; nothing is left of one that is all comment. */
  readonly statements: readonly SqlStatement[]
  /** The comments that begin with two dashes, without them. */
  readonly lineComments: readonly string[]
}

/** The rules about statements need no more words than this. A long INSERT can have any number. */
const wordLimit = 100

const nameStart = /^[a-z_\u0080-\uffff]/i
const name = /[\w$\u0080-\uffff]*/y
const dollarQuote = /\$(?:[a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/iy
const line = /[^\r\n]*/y
/** Spaces and comments. */
export const invisible = /^(?:\s|--|\/\*)/

/** Reads a text into its statements and comments. What is not closed ends with the text. */
export function scanSql (text: string): ScannedSql {
  const statements: SqlStatement[] = []
  const lineComments: string[] = []
  let statement = new StatementWords(0)
  const end = (at: number): void => {
    const { words, start } = statement
    if (words.length > 0) statements.push({ sql: text.slice(start, at).trim(), words })
    statement = new StatementWords(at + 1)
  }
  for (const { piece, at } of piecesOf(text)) {
    if (piece.startsWith('--')) lineComments.push(piece.slice(2))
    else if (piece === ';' && statement.isOver) end(at)
    else if (!invisible.test(piece)) statement.add(piece)
  }
  end(text.length)
  return { statements, lineComments }
}

/** A text from front to back: comments, strings, names and words, and single characters in between, spaces included. */
export function * piecesOf (text: string): Generator<{ readonly piece: string, readonly at: number }> {
  for (let at = 0, next = 0; at < text.length; at = next) {
    next = endOfPiece(text, at)
    yield { piece: text.slice(at, next), at }
  }
}

/** The words of one statement so far, and whether a semicolon would end it. */
class StatementWords {
  readonly start: number
  readonly words: string[] = []
  #parentheses = 0
  #blocks = 0

  constructor (start: number) {
    this.start = start
  }

  add (piece: string): void {
    const word = nameStart.test(piece) && !piece.endsWith("'") ? piece.toUpperCase() : piece.startsWith('"') ? piece : piece.charAt(0)
    if (word === '(') this.#parentheses++
    if (word === ')') this.#parentheses--
    if (word === 'END' && this.#blocks > 0) this.#blocks--
    if ((word === 'BEGIN' && this.#isRoutine) || (word === 'CASE' && this.#blocks > 0)) this.#blocks++
    if (this.words.length < wordLimit) this.words.push(word)
  }

  get isOver (): boolean {
    return this.#parentheses <= 0 && this.#blocks === 0
  }

  get #isRoutine (): boolean {
    return /^CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE)\b/.test(this.words.slice(0, 4).join(' '))
  }
}

/** Where the piece that begins at a place ends: a comment, a string, a name, or one character. */
function endOfPiece (text: string, at: number): number {
  const first = text.charAt(at)
  const pair = text.slice(at, at + 2)
  if (pair === '--') return at + lengthOf(line, text, at)
  if (pair === '/*') return endOfComment(text, at)
  if (pair.toLowerCase() === "e'") return endOfEscaped(text, at + 1)
  if (nameStart.test(first)) return at + lengthOf(name, text, at)
  // A quote that is doubled ends one string and begins the next: for us that is the same as one.
  if (first === '"' || first === "'") return endAfter(first, text, at + 1)
  const opening = text.slice(at, at + lengthOf(dollarQuote, text, at))
  return opening === '' ? at + 1 : endAfter(opening, text, at + opening.length)
}

/** How many characters a sticky pattern takes at a place. */
function lengthOf (pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0].length ?? 0
}

function endAfter (closing: string, text: string, from: number): number {
  const end = text.indexOf(closing, from)
  return end < 0 ? text.length : end + closing.length
}

/** The end of a string with backslashes, E'…'. */
function endOfEscaped (text: string, quoteAt: number): number {
  const mark = /\\[^]|'/g
  mark.lastIndex = quoteAt + 1
  for (let match = mark.exec(text); match !== null; match = mark.exec(text)) {
    if (match[0] === "'") return mark.lastIndex
  }
  return text.length
}

/** PostgreSQL's comments nest. */
function endOfComment (text: string, at: number): number {
  const edge = /\/\*|\*\//g
  edge.lastIndex = at
  let depth = 0
  for (let match = edge.exec(text); match !== null; match = edge.exec(text)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth === 0) return edge.lastIndex
  }
  return text.length
}
