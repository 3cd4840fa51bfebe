import { Param, Placeholder, is } from 'drizzle-orm'
import { quotedText } from '../snapshots/names.js'

/**
 * A value as SQL has it, once Drizzle has turned it into what the driver takes.
 *
 * @throws TypeError for what has no text, such as a placeholder
 */
export function literal (value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'boolean' || typeof value === 'bigint' || Number.isFinite(value)) return String(value)
  return quotedText(plainText(value))
}

/** The text, without quotes, that PostgreSQL reads as a value. */
function plainText (value: unknown): string {
  if (typeof value === 'string') return value
  if (['boolean', 'number', 'bigint'].includes(typeof value)) return String(value)
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  if (value instanceof Date) return value.toISOString()
  if (typeof value !== 'object' || is(value, Placeholder) || is(value, Param)) throw new TypeError('It has no text in SQL')
  return Array.isArray(value) ? arrayText(value) : JSON.stringify(value)
}

/**
 * An array as PostgreSQL reads it, arrays in it included.
 *
 * @throws TypeError for what has no text
 */
export function arrayText (values: readonly unknown[]): string {
  return `{${values.map((value) => {
    if (Array.isArray(value)) return arrayText(value)
    return value === null ? 'NULL' : `"${plainText(value).replace(/["\\]/g, '\\$&')}"`
  }).join(',')}}`
}
