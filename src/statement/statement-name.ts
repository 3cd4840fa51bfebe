import { createHash } from 'node:crypto'

/**
 * The name under which PostgreSQL may keep a statement, 63 bytes at most: the label tells statements of one process apart, and
 * the hash of the text those of several that share a connection behind a pooler. One name never stands for two texts.
 */
export function statementName (label: string | number, text: string): string {
  return `data_access_${label}_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
}
