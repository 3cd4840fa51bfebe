import { invisible, piecesOf } from '../../folder/sql-scanner.js'

/** A word, name, string, number, parameter or sign of SQL. */
export interface Token {
  readonly text: string
  /** Whether space or a comment stands before it. */
  readonly isApart: boolean
}

const parameter = /\$\d+/y
const number = /(?:0[box][\da-f_]+|\d[\d_]*(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)/iy

/** The tokens of a statement, without its comments. */
export function tokensOf (text: string): Token[] {
  const tokens: Token[] = []
  let isApart = false
  let end = 0
  for (const { piece, at } of piecesOf(text)) {
    if (at < end) continue
    if (invisible.test(piece)) {
      isApart = true
      continue
    }
    const whole = matchAt(parameter, text, at) ?? matchAt(number, text, at) ?? piece
    end = at + whole.length
    const last = tokens.at(-1)
    // A doubled quote: both pieces are one string.
    if (!isApart && piece.startsWith("'") && last !== undefined && isString(last)) tokens.splice(-1, 1, { ...last, text: last.text + piece })
    else tokens.push({ text: whole, isApart })
    isApart = false
  }
  return tokens
}

/** The text of tokens. Where space stood between two of them, it is one space. */
export function textOf (tokens: readonly Token[]): string {
  return tokens.map(({ text, isApart }, index) => `${isApart && index > 0 ? ' ' : ''}${oneLine(text)}`).join('')
}

/** Whether a token is `$1` or another parameter. */
export function isParameter ({ text }: Token): boolean {
  return /^\$\d/.test(text)
}

/** Whether a token is a string or a number. */
export function isLiteral ({ text }: Token): boolean {
  return /^(?:e?'|\$[^\d]|\.?\d)/i.test(text)
}

/** The index behind the bracket that closes the one at an index; the end of the tokens if none does. */
export function endOfBrackets (tokens: readonly Token[], at: number): number {
  let depth = 0
  for (let index = at; index < tokens.length; index++) {
    const text = tokens[index]!.text
    if (text === '(' || text === '[') depth++
    if ((text === ')' || text === ']') && --depth === 0) return index + 1
  }
  return tokens.length
}

/** The items between brackets, which commas part. */
export function itemsOf (tokens: readonly Token[]): Token[][] {
  const items: Token[][] = [[]]
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index]!
    if (token.text === ',') {
      items.push([])
    } else if (token.text === '(' || token.text === '[') {
      const end = endOfBrackets(tokens, index)
      items.at(-1)!.push(...tokens.slice(index, end))
      index = end - 1
    } else {
      items.at(-1)!.push(token)
    }
  }
  return items
}

function isString ({ text }: Token): boolean {
  return /^e?'/i.test(text)
}

function matchAt (pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

/** A string with line breaks becomes one with escapes. */
function oneLine (text: string): string {
  if (!/[\r\n]/.test(text) || text.startsWith('"')) return text
  const dollar = /^\$[^$]*\$/.exec(text)?.[0]
  const isEscaped = /^e'/i.test(text)
  const content = dollar === undefined ? text.slice(isEscaped ? 2 : 1, -1) : text.slice(dollar.length, -dollar.length).replaceAll("'", "''")
  const escaped = isEscaped ? content : content.replaceAll('\\', '\\\\')
  return `E'${escaped.replaceAll('\r', '\\r').replaceAll('\n', '\\n')}'`
}
