/** Corrects defaults that drizzle-kit 1.0 writes wrongly. */
import { SQL, is, sql } from 'drizzle-orm'
import { PgCustomColumn, type PgColumn } from 'drizzle-orm/pg-core'
import { elementOf, innermost } from '../../../../drizzle/array-columns.js'
import { sqlTypeOf } from '../../../../drizzle/column-types.js'
import { quotedText } from '../../snapshots/names.js'
import { defaultText } from '../texts/default-text.js'
import { refuseUnwritable, withLiterals } from '../texts/expression-text.js'
import { arrayText } from '../texts/literal.js'

/**
 * The default of a column: unchanged if drizzle-kit writes it correctly, and as SQL otherwise.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` for a value that has no text in SQL; the message names the place
 */
export function columnDefault (column: PgColumn, place: string): unknown {
  const { default: value } = column
  if (is(value, SQL)) return withLiterals(value, { place, casing: undefined })
  if (value === undefined || value === null) return value
  return refuseUnwritable(place, () => {
    // Written in any case: a value without a text is refused here, and drizzle-kit would write something for it.
    const text = isJson(innermost(column)) && elementOf(column) !== undefined ? jsonArrayText(value) : defaultText(column, value)
    return writesCorrectly(column, value) ? value : sql.raw(text)
  })
}

/** An array of JSON. As in Drizzle 1.0, null is JSON's null. */
function jsonArrayText (value: unknown): string {
  return quotedText(arrayText((value as readonly unknown[]).map((element) => JSON.stringify(element))))
}

/** Whether PostgreSQL reads the same value from the default that drizzle-kit writes. */
function writesCorrectly (column: PgColumn, value: unknown): boolean {
  // Its conversion is left out.
  if (is(column, PgCustomColumn)) return false
  const isJsonColumn = isJson(innermost(column))
  if (elementOf(column) !== undefined && Array.isArray(value)) return value.every((one) => isJsonColumn ? !/['\\]/.test(JSON.stringify(one)) : writesElementCorrectly(one))
  if (isJsonColumn) return !hasQuotedKey(value)
  if (typeof value === 'string') return !value.includes('\\')
  return typeof value !== 'number' || Number.isFinite(value)
}

function writesElementCorrectly (value: unknown): boolean {
  if (Array.isArray(value)) return value.every(writesElementCorrectly)
  return value !== null && (typeof value !== 'string' || !/^\s|\s$|^null$/i.test(value))
}

/** Whether an object in a value has a key with a single quote. */
function hasQuotedKey (value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, part]) => key.includes("'") || hasQuotedKey(part))
}

function isJson (column: PgColumn): boolean {
  return /^jsonb?$/i.test(sqlTypeOf(column))
}
