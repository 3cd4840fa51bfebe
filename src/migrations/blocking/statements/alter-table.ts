import { splitAtCommas } from './sql-token.js'
import { readAction } from './table-action.js'
import type { Change } from './change.js'
import type { TokenReader } from './token-reader.js'

/** Reads ALTER TABLE, after these words. */
export function readAlterTable (reader: TokenReader): Change {
  reader.take('IF EXISTS')
  reader.take('ONLY')
  const table = reader.fullName()
  reader.take('*')
  return { kind: 'alterTable', table, actions: splitAtCommas(reader.rest()).map((tokens) => ({ action: readAction(tokens), tokens })) }
}

/**
 * Reads a statement that changes a policy, a trigger or a rule of a table, after its first words: it locks the table as an action of ALTER TABLE does.
 *
 * @param before the word before the table
 */
export function readOnTable (reader: TokenReader, { before = 'ON', isExclusive }: { readonly before?: string, readonly isExclusive: boolean }): Change | undefined {
  reader.until(before)
  return reader.take(before) ? { kind: 'alterTable', table: reader.fullName(), actions: [{ action: { kind: 'other', isExclusive }, tokens: [] }] } : undefined
}
