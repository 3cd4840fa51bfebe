/**
 * Reads SQL as PostgreSQL's lexer does, as far as needed to find the end of each statement and its words. A semicolon, keyword or directive inside
 * a string, a quoted name, a function body or a comment does not count.
 *
 * The rules for the end of a statement are those of psql: a semicolon in parentheses belongs to a rule, and a semicolon between
 * BEGIN ATOMIC and END belongs to a function.
 */

/** One statement of a text. */
export interface SqlStatement {
  /** Without the semicolon, with the comments before the statement. */
  readonly sql: string
  /** Where {@link SqlStatement.sql} begins in the scanned text, in characters. */
  readonly at: number
  /** Its first words, in capitals. Quoted names keep their quotes; every other sign is one character. Strings, spaces and comments are left out. */
  readonly words: readonly string[]
}

/** The statements and comments of a text. */
export interface ScannedSql {
  /** The statements that have words. A statement that is only a comment is left out. */
  readonly statements: readonly SqlStatement[]
  /** The comments that begin with two dashes, without the dashes. */
  readonly lineComments: readonly string[]
}

/** The most words kept of a statement. The checks of statements need no more, and an INSERT can have any number. */
const wordLimit = 100

const nameStart = /^[a-z_\u0080-\uffff]/i
const name = /[\w$\u0080-\uffff]*/y
const dollarQuote = /\$(?:[a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/iy
const line = /[^\r\n]*/y
/** Spaces and comments. */
export const invisible = /^(?:\s|--|\/\*)/

/** Splits a text into statements and comments. An unclosed string, comment or parenthesis ends with the text. */
export function scanSql (text: string): ScannedSql {
  const statements: SqlStatement[] = []
  const lineComments: string[] = []
  let statement = new StatementWords(0)
  const end = (at: number): void => {
    const { words, start } = statement
    const sql = text.slice(start, at)
    if (words.length > 0) statements.push({ sql: sql.trim(), at: start + sql.length - sql.trimStart().length, words })
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

/** The pieces of a text in order: comments, strings, names, words, and single characters, including spaces. */
export function * piecesOf (text: string): Generator<{ readonly piece: string, readonly at: number }> {
  for (let at = 0, next = 0; at < text.length; at = next) {
    next = endOfPiece(text, at)
    yield { piece: text.slice(at, next), at }
  }
}

/** The words of one statement so far, and whether a semicolon ends it. */
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

/** The end of the piece that begins at an offset: a comment, a string, a name, or one character. */
function endOfPiece (text: string, at: number): number {
  const first = text.charAt(at)
  const pair = text.slice(at, at + 2)
  if (pair === '--') return at + lengthOf(line, text, at)
  if (pair === '/*') return endOfComment(text, at)
  if (pair.toLowerCase() === "e'") return endOfEscaped(text, at + 1)
  if (nameStart.test(first)) return at + lengthOf(name, text, at)
  // A doubled quote is read as the end of one string and the beginning of the next, with the same result.
  if (first === '"' || first === "'") return endAfter(first, text, at + 1)
  const opening = text.slice(at, at + lengthOf(dollarQuote, text, at))
  return opening === '' ? at + 1 : endAfter(opening, text, at + opening.length)
}

/** How many characters a sticky pattern matches at an offset. */
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
  const edge = /\\[^]|'/g
  edge.lastIndex = quoteAt + 1
  for (let match = edge.exec(text); match !== null; match = edge.exec(text)) {
    if (match[0] === "'") return edge.lastIndex
  }
  return text.length
}

/** The end of a comment. PostgreSQL's comments nest. */
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
