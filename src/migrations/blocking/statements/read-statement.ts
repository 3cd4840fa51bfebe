import { beginsChange, readChange } from './read-change.js'
import { isToken, tokensOf, type SqlToken } from './sql-token.js'
import type { Change } from './change.js'

/** A change, with the tokens of its statement. */
export interface PlacedChange {
  readonly change: Change
  readonly tokens: readonly SqlToken[]
}

/**
 * What a statement of a file does to tables. A DO block may hold several statements; SQL that its EXECUTE builds of strings stays unknown.
 *
 * @param at where the statement begins in the file
 */
export function readStatement (sql: string, at: number): PlacedChange[] {
  const tokens = tokensOf(sql, at)
  const statements = isToken(tokens[0]!, 'DO') ? tokens.filter(({ kind }) => kind === 'body').flatMap((body) => statementsIn(tokensOf(body.text, body.at))) : [tokens]
  return statements.flatMap((each) => {
    const change = readChange(each)
    return change === undefined ? [] : [{ change, tokens: each }]
  })
}

/** The words of PL/pgSQL after which a statement begins. */
const beginnings = ['BEGIN', 'THEN', 'ELSE', 'LOOP']

/** The statements of a block of PL/pgSQL that are read. */
function statementsIn (tokens: readonly SqlToken[]): SqlToken[][] {
  const segments: SqlToken[][] = [[]]
  for (const token of tokens) {
    if (isToken(token, ';')) segments.push([])
    else segments.at(-1)!.push(token)
  }
  return segments.flatMap((segment) => {
    const starts = [0, ...segment.flatMap((token, index) => beginnings.some((word) => isToken(token, word)) ? [index + 1] : [])]
    const start = starts.find((index) => beginsChange(segment.slice(index)))
    return start === undefined ? [] : [segment.slice(start)]
  })
}
