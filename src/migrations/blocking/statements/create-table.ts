import { readColumn } from './column-definition.js'
import { isToken, splitAtCommas, type SqlToken } from './sql-token.js'
import { beginsConstraint, readConstraint } from './table-constraint.js'
import { TokenReader } from './token-reader.js'
import type { Change } from './change.js'

/** Reads CREATE TABLE, after these words. */
export function readCreateTable (reader: TokenReader): Change {
  reader.take('IF NOT EXISTS')
  const table = reader.fullName()
  const parts = splitAtCommas(reader.group()).filter(([first]) => !isToken(first!, 'LIKE'))
  const isConstraint = (tokens: readonly SqlToken[]) => beginsConstraint(new TokenReader(tokens))
  reader.until('PARTITION BY')
  return {
    kind: 'createTable',
    table,
    columns: parts.filter((part) => !isConstraint(part)).map(readColumn),
    constraints: parts.filter(isConstraint).map((part) => readConstraint(new TokenReader(part))),
    isPartitioned: reader.is('PARTITION BY')
  }
}

/** Reads CREATE MATERIALIZED VIEW, after these words. */
export function readCreateView (reader: TokenReader): Change {
  reader.take('IF NOT EXISTS')
  return { kind: 'createTable', table: reader.fullName(), columns: [], constraints: [], isPartitioned: false }
}
