import { scanSql } from '../../folder/sql-scanner.js'
import { endOfBrackets, isLiteral, isParameter, itemsOf, textOf, tokensOf, type Token } from './tokens.js'

/** The verbs of the statements that PostgreSQL can prepare. */
const verbs: ReadonlySet<string> = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'MERGE', 'VALUES', 'WITH', 'TABLE'])

/** The names of types that a string follows. There a parameter cannot stand. */
const typed: ReadonlySet<string> = new Set(['interval', 'date', 'time', 'timestamp', 'timestamptz', 'zone'])

/**
 * The statements of a text that PostgreSQL can prepare, each in one line that is the same for every length of its lists.
 *
 * Comments are left out. A list behind IN, ARRAY or VALUES keeps one of the items that differ in their parameters only, and an INSERT of rows that differ
 * in more becomes one INSERT for each kind of row. The parameters are numbered anew, as they appear.
 */
export function canonicalStatements (text: string): string[] {
  return scanSql(text).statements.filter(({ words }) => verbs.has(words.find((word) => word !== '(') ?? '')).flatMap(({ sql }) => variantsOf(tokensOf(sql)))
}

/** The same statement with a parameter for each of its literals. */
export function withoutLiterals (statement: string): string {
  const tokens = tokensOf(statement)
  let next = Math.max(0, ...tokens.filter(isParameter).map(({ text }) => Number(text.slice(1))))
  const masked = tokens.map((token, index) => isLiteral(token) && !typed.has(tokens[index - 1]?.text.toLowerCase() ?? '') ? { ...token, text: `$${++next}` } : token)
  return renumbered(shorter(masked))
}

function variantsOf (tokens: readonly Token[]): string[] {
  const short = shorter(tokens)
  const values = short.findIndex(isWord('values'))
  if (!isWord('insert')(short[0]) || values < 0) return [renumbered(short)]
  const end = endOfRows(short, values + 1)
  const rows = itemsOf(short.slice(values + 1, end))
  return rows.map((row) => renumbered([...short.slice(0, values + 1), ...row, ...short.slice(end)]))
}

/** Statements without the items of lists that repeat an earlier one. */
function shorter (tokens: readonly Token[]): Token[] {
  const short: Token[] = []
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index]!
    short.push(token)
    const next = tokens[index + 1]?.text
    if ((isWord('in')(token) && next === '(') || (isWord('array')(token) && next === '[')) {
      const end = endOfBrackets(tokens, index + 1)
      short.push(tokens[index + 1]!, ...distinct(tokens.slice(index + 2, end - 1)), ...tokens.slice(end - 1, end))
      index = end - 1
    } else if (isWord('values')(token) && next === '(') {
      const end = endOfRows(tokens, index + 1)
      short.push(...distinct(tokens.slice(index + 1, end)))
      index = end - 1
    }
  }
  return short
}

/** The items of a list that differ in more than their parameters. A subquery is not a list. */
function distinct (tokens: readonly Token[]): readonly Token[] {
  if (isWord('select')(tokens[0]) || isWord('with')(tokens[0])) return tokens
  const kinds = new Map<string, Token[]>()
  for (const item of itemsOf(tokens)) {
    const kind = textOf(item.map((token) => isParameter(token) ? { ...token, text: '$' } : token))
    if (!kinds.has(kind)) kinds.set(kind, item)
  }
  return [...kinds.values()].flatMap((item, index) => index === 0 ? item : [{ text: ',', isApart: false }, ...item])
}

/** The index behind the rows of VALUES that begin at an index. */
function endOfRows (tokens: readonly Token[], at: number): number {
  const end = endOfBrackets(tokens, at)
  return tokens[end]?.text === ',' && tokens[end + 1]?.text === '(' ? endOfRows(tokens, end + 1) : end
}

function renumbered (tokens: readonly Token[]): string {
  const numbers = new Map<string, string>()
  return textOf(tokens.map((token) => {
    if (!isParameter(token)) return token
    if (!numbers.has(token.text)) numbers.set(token.text, `$${numbers.size + 1}`)
    return { ...token, text: numbers.get(token.text)! }
  }))
}

function isWord (word: string): (token: Token | undefined) => boolean {
  return (token) => token?.text.toLowerCase() === word
}
