import { inSchemaOf } from './full-name.js'
import { isToken } from './sql-token.js'
import { namesIn } from './table-constraint.js'
import type { Change } from './change.js'
import type { TokenReader } from './token-reader.js'

/** Reads CREATE INDEX, after its first words. */
export function readCreateIndex (reader: TokenReader): Change {
  const isConcurrent = reader.take('CONCURRENTLY')
  reader.take('IF NOT EXISTS')
  const name = reader.is('ON') ? '' : reader.name()
  reader.take('ON')
  const isOnly = reader.take('ONLY')
  const table = reader.fullName()
  reader.until('(')
  return { kind: 'createIndex', table, index: name === '' ? '' : inSchemaOf(table, name), columns: namesIn(reader.group()), isConcurrent, isOnly }
}

/** Reads ALTER INDEX, after these words. Besides a rename nothing concerns a lock. */
export function readAlterIndex (reader: TokenReader): Change | undefined {
  reader.take('IF EXISTS')
  const from = reader.fullName()
  return reader.take('RENAME TO') ? { kind: 'renameIndex', from, to: reader.name() } : undefined
}

/** Reads DROP INDEX, after these words. */
export function readDropIndex (reader: TokenReader): Change {
  const isConcurrent = reader.take('CONCURRENTLY')
  reader.take('IF EXISTS')
  return { kind: 'dropIndex', indexes: readNames(reader), isConcurrent }
}

/** Reads REINDEX, after this word. */
export function readReindex (reader: TokenReader): Change {
  const options = reader.group()
  const target = reader.take('INDEX') ? 'index' : reader.take('TABLE') ? 'table' : 'all'
  if (target === 'all') reader.token()
  const isConcurrent = reader.take('CONCURRENTLY') || options.some((token) => isToken(token, 'CONCURRENTLY'))
  return { kind: 'reindex', target, name: reader.fullName(), isConcurrent }
}

/** Reads full names with commas between them, up to another word. */
export function readNames (reader: TokenReader): string[] {
  const names = []
  do {
    reader.take('ONLY')
    names.push(reader.fullName())
    reader.take('*')
  } while (reader.take(','))
  return names
}
