import { readNames } from './index-statements.js'
import { isToken } from './sql-token.js'
import type { Change } from './change.js'
import type { TokenReader } from './token-reader.js'

/** Reads DROP TABLE or DROP MATERIALIZED VIEW, after these words. */
export function readDropTable (reader: TokenReader): Change {
  reader.take('IF EXISTS')
  return { kind: 'dropTable', tables: readNames(reader) }
}

/** Reads DROP SCHEMA, after these words. */
export function readDropSchema (reader: TokenReader): Change {
  reader.take('IF EXISTS')
  return { kind: 'dropSchema', schemas: readNames(reader), isCascade: reader.take('CASCADE') }
}

/** Reads TRUNCATE, after this word. */
export function readTruncate (reader: TokenReader): Change {
  reader.take('TABLE')
  return { kind: 'truncate', tables: readNames(reader) }
}

/** Reads LOCK TABLE, after the first word. */
export function readLock (reader: TokenReader): Change {
  reader.take('TABLE')
  const tables = readNames(reader)
  const mode = reader.take('IN') ? reader.until('MODE').map(({ text }) => text).join(' ') : 'ACCESS EXCLUSIVE'
  return { kind: 'lockTable', tables, mode }
}

/** Reads REFRESH MATERIALIZED VIEW, after these words. */
export function readRefresh (reader: TokenReader): Change {
  const isConcurrent = reader.take('CONCURRENTLY')
  return { kind: 'refreshView', view: reader.fullName(), isConcurrent, hasData: !reader.take('WITH NO DATA') }
}

/** Reads VACUUM, after this word. Without FULL it locks nothing for long. */
export function readVacuum (reader: TokenReader): Change | undefined {
  const options = reader.group()
  const at = options.findIndex((token) => isToken(token, 'FULL'))
  const isOff = ['FALSE', 'OFF', '0'].includes(String(options[at + 1]?.text))
  let isFull = at >= 0 && !isOff
  for (let hasMore = true; hasMore;) {
    if (reader.is('FULL')) isFull = true
    hasMore = ['FULL', 'FREEZE', 'VERBOSE', 'ANALYZE'].some((word) => reader.take(word))
  }
  return isFull ? { kind: 'rewriteTables', tables: reader.isDone ? [] : readNames(reader) } : undefined
}

/** Reads CLUSTER, after this word. */
export function readCluster (reader: TokenReader): Change {
  reader.group()
  reader.take('VERBOSE')
  return { kind: 'rewriteTables', tables: reader.isDone ? [] : [reader.fullName()] }
}

/** Reads UPDATE, DELETE FROM or MERGE INTO, after these words. */
export function readWrite (reader: TokenReader): Change {
  reader.take('ONLY')
  return { kind: 'writeRows', table: reader.fullName() }
}

/** Reads INSERT INTO, after these words. One with VALUES writes the rows of the file, which are few. */
export function readInsert (reader: TokenReader): Change | undefined {
  const table = reader.fullName()
  reader.until('VALUES', 'DEFAULT VALUES', 'SELECT', 'WITH')
  return reader.is('SELECT') || reader.is('WITH') ? { kind: 'writeRows', table } : undefined
}
