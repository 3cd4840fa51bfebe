import { createHash } from 'node:crypto'

/**
 * The name of a prepared statement, 63 bytes at most. The label distinguishes the statements of one process, the hash of the text
 * those of several processes that share a connection behind a pooler. One name never stands for two texts.
 */
export function statementName (label: string | number, text: string): string {
  return `data_access_${label}_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
}
