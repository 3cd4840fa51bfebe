import type { Statement } from './statement.js'

/** White space and comments before a statement. */
const gap = '(?:\\s|--[^\\n]*\\n|/\\*[\\s\\S]*?\\*/)*'

/** The first word of a statement that may run inside any transaction, unless {@link alone} says otherwise. */
const ordinary = new RegExp(`^${gap}(?:select|insert|update|delete|merge|with|values|table|truncate|create|alter|drop|comment|grant|revoke|refresh)\\b`, 'i')

/** Words of statements that refuse a transaction. */
const alone = /\b(?:concurrently|database|tablespace|subscription|system)\b/i

/** A text that is one statement for certain. */
const single = /^[^;]*;?\s*$/

/** Whether a statement may run behind another one in the same implicit transaction: user SQL that may be several statements, or that refuses a transaction, may not. */
export function mayFollow ({ kind, text, values }: Statement): boolean {
  return kind !== 'raw' || (ordinary.test(text) && !alone.test(text) && (values.length > 0 || single.test(text)))
}
