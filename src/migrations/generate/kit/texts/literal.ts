import { Param, Placeholder, is } from 'drizzle-orm'
import { quotedText } from '../../snapshots/names.js'

/**
 * Writes a value as a literal of SQL. Drizzle has already mapped it to the value for the driver.
 *
 * @throws TypeError for a value without text, such as a placeholder
 */
export function literal (value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'boolean' || typeof value === 'bigint' || Number.isFinite(value)) return String(value)
  return quotedText(plainText(value))
}

/** The text of a value without quotes, as PostgreSQL reads it. */
function plainText (value: unknown): string {
  if (typeof value === 'string') return value
  if (['boolean', 'number', 'bigint'].includes(typeof value)) return String(value)
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  if (value instanceof Date) return value.toISOString()
  if (typeof value !== 'object' || is(value, Placeholder) || is(value, Param)) throw new TypeError('It has no text in SQL')
  return Array.isArray(value) ? arrayText(value) : JSON.stringify(value)
}

/**
 * Writes an array as PostgreSQL reads it, including nested arrays.
 *
 * @throws TypeError for an element without text
 */
export function arrayText (values: readonly unknown[]): string {
  return `{${values.map((value) => {
    if (Array.isArray(value)) return arrayText(value)
    return value === null ? 'NULL' : `"${plainText(value).replace(/["\\]/g, '\\$&')}"`
  }).join(',')}}`
}
