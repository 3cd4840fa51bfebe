/** Corrects defaults that drizzle-kit 0.31 writes wrongly. */
import { SQL, is, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { elementOf } from '../../../../../drizzle/array-columns.js'
import { sqlTypeOf } from '../../../../../drizzle/column-types.js'
import { defaultText } from '../../texts/default-text.js'
import { expressionText, refuseUnwritable, type Context } from '../../texts/expression-text.js'

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

/** Whether PostgreSQL reads the same value from the default that drizzle-kit writes. */
function writesCorrectly (column: PgColumn, value: unknown): boolean {
  const element = elementOf(column)
  if (element !== undefined && Array.isArray(value)) return value.every((one) => writesElementCorrectly(element, one))
  // drizzle-kit has always read a string default of a json column as JSON, if it is valid JSON.
  if (isJson(column)) return typeof value === 'string' ? isJsonText(value) : !JSON.stringify(value).includes("'")
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value) || isMoment(value)
}

function writesElementCorrectly (column: PgColumn, value: unknown): boolean {
  const element = elementOf(column)
  if (element !== undefined && Array.isArray(value)) return value.every((one) => writesElementCorrectly(element, one))
  if (typeof value === 'string') return !isJson(column) && !/["'\\]/.test(value)
  return ['boolean', 'number', 'bigint'].includes(typeof value) || isMoment(value)
}

function isMoment (value: unknown): boolean {
  return value instanceof Date && !Number.isNaN(value.getTime())
}

function isJson (column: PgColumn): boolean {
  return /^jsonb?$/i.test(sqlTypeOf(column))
}

function isJsonText (value: string): boolean {
  try {
    JSON.parse(value)
    return true
  } catch {
    return false
  }
}
