import { invisible, piecesOf } from '../../folder/sql-scanner.js'

/** A word, name, string, number or sign of a statement. */
export interface SqlToken {
  /** `word`: not quoted, in capitals. `name`: a quoted name, without its quotes. `body`: the text between two dollar quotes. */
  readonly kind: 'word' | 'name' | 'string' | 'body' | 'number' | 'sign'
  readonly text: string
  /** As it is written. */
  readonly raw: string
  /** Where it begins in the file, in characters. */
  readonly at: number
}

/**
 * The tokens of a text, without its comments.
 *
 * @param base where the text begins in its file
 */
export function tokensOf (text: string, base = 0): SqlToken[] {
  const pieces: Array<{ raw: string, at: number }> = []
  for (const { piece, at } of piecesOf(text)) {
    const last = pieces.at(-1)
    // The scanner gives a number digit by digit, and a doubled quote as the end of one name and the beginning of the next.
    if (last !== undefined && last.at + last.raw.length === at && parts.some((part) => part.test(last.raw) && part.test(piece))) last.raw += piece
    else pieces.push({ raw: piece, at })
  }
  return pieces.filter(({ raw }) => !invisible.test(raw)).map(({ raw, at }) => tokenOf(raw, base + at))
}

const parts = [/^\d/, /^"/, /^[eE]?'/]

function tokenOf (raw: string, at: number): SqlToken {
  const quote = /^\$[^$]*\$/.exec(raw)?.[0]
  if (quote !== undefined) return { kind: 'body', text: raw.slice(quote.length, -quote.length), raw, at: at + quote.length }
  if (raw.startsWith('"')) return { kind: 'name', text: raw.slice(1, -1).replaceAll('""', '"'), raw, at }
  if (/^[eE]?'/.test(raw)) return { kind: 'string', text: raw, raw, at }
  if (/^\d/.test(raw)) return { kind: 'number', text: raw, raw, at }
  return /^[a-z_\u0080-\uffff]/i.test(raw) ? { kind: 'word', text: raw.toUpperCase(), raw, at } : { kind: 'sign', text: raw, raw, at }
}

/** The name that a token is, as PostgreSQL folds it. */
export function nameOf ({ kind, text }: SqlToken): string {
  return kind === 'word' ? text.toLowerCase() : text
}

/** Whether a token is this keyword or sign. */
export function isToken ({ kind, text }: SqlToken, word: string): boolean {
  return (kind === 'word' || kind === 'sign') && text === word
}

/** Splits tokens at their commas outside parentheses. */
export function splitAtCommas (tokens: readonly SqlToken[]): SqlToken[][] {
  const parts: SqlToken[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (isToken(token, '(') || isToken(token, '[')) depth++
    if (isToken(token, ')') || isToken(token, ']')) depth--
    if (depth === 0 && isToken(token, ',')) parts.push([])
    else parts.at(-1)!.push(token)
  }
  return parts.filter((part) => part.length > 0)
}

/** Tokens as SQL on one line, without comments. */
export function sqlOf (tokens: readonly SqlToken[]): string {
  return tokens.reduce((sql, { raw }, index) => {
    const before = tokens[index - 1]?.raw ?? '('
    const isJoined = /^[,.)\]:;]$/.test(raw) || /^[.([:]$/.test(before) || (/^[([]$/.test(raw) && tokens[index - 1]?.kind !== 'sign' && !spaced.has(before.toUpperCase()))
    return `${sql}${isJoined ? '' : ' '}${raw.replace(/\s+/g, ' ')}`
  }, '')
}

/** Keywords with a space before their parenthesis. */
const spaced = new Set(['CHECK', 'KEY', 'UNIQUE', 'USING', 'AND', 'OR', 'AS', 'IN', 'BY', 'FROM', 'TO', 'VALUES', 'INCLUDE', 'WHERE', 'WITH', 'SET'])
