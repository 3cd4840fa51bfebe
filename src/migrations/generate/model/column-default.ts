/** Corrects defaults that drizzle-kit 0.31 writes wrongly. This file goes when drizzle-kit 1.0 is the only supported version and writes them correctly. */
import { SQL, is, sql } from 'drizzle-orm'
import { PgArray, type PgColumn } from 'drizzle-orm/pg-core'
import { expressionText, refuseUnwritable, type Context } from './expression-text.js'
import { arrayText, literal } from './literal.js'
import { quotedText } from '../snapshots/names.js'

/**
 * The default of a column: unchanged if drizzle-kit writes it correctly, and as SQL otherwise.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` for a value that has no text in SQL; the message names table and column
 */
export function columnDefault (column: PgColumn, context: Context): unknown {
  const { default: value } = column
  if (is(value, SQL)) return sql.raw(expressionText(value, context))
  if (value === undefined || value === null) return value
  return refuseUnwritable(context.place, () => writesCorrectly(column, value) ? value : sql.raw(defaultText(column, value)))
}

function defaultText (column: PgColumn, value: unknown): string {
  const type = column.getSQLType().toLowerCase()
  if (/^jsonb?$/.test(type)) return `${quotedText(JSON.stringify(value))}::${type}`
  return is(column, PgArray) && Array.isArray(value) ? quotedText(arrayText(elements(column.baseColumn, value))) : literal(column.mapToDriverValue(value))
}

/** The elements of an array as the driver sends them. */
function elements (base: PgColumn, values: readonly unknown[]): unknown[] {
  return values.map((value) => {
    if (value === null) return null
    if (is(base, PgArray) && Array.isArray(value)) return elements(base.baseColumn, value)
    // The text of the value, even if the value is an array itself, such as a vector.
    return base.mapToDriverValue(value)
  })
}

/** Whether PostgreSQL reads the same value from the default that drizzle-kit writes. */
function writesCorrectly (column: PgColumn, value: unknown): boolean {
  if (is(column, PgArray) && Array.isArray(value)) return value.every((element) => writesElementCorrectly(column.baseColumn, element))
  // drizzle-kit has always read a string default of a json column as JSON, if it is valid JSON.
  if (isJson(column)) return typeof value === 'string' ? isJsonText(value) : !JSON.stringify(value).includes("'")
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value) || isMoment(value)
}

function writesElementCorrectly (column: PgColumn, value: unknown): boolean {
  if (is(column, PgArray) && Array.isArray(value)) return value.every((element) => writesElementCorrectly(column.baseColumn, element))
  if (typeof value === 'string') return !isJson(column) && !/["'\\]/.test(value)
  return ['boolean', 'number', 'bigint'].includes(typeof value) || isMoment(value)
}

function isMoment (value: unknown): boolean {
  return value instanceof Date && !Number.isNaN(value.getTime())
}

function isJson (column: PgColumn): boolean {
  return /^jsonb?$/i.test(column.getSQLType())
}

function isJsonText (value: string): boolean {
  try {
    JSON.parse(value)
    return true
  } catch {
    return false
  }
}
