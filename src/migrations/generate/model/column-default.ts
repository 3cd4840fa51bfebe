import { SQL, is, sql } from 'drizzle-orm'
import { PgArray, type PgColumn } from 'drizzle-orm/pg-core'
import { expressionText, refuseUnwritable, type Context } from './expression-text.js'
import { arrayText, literal } from './literal.js'
import { quotedText } from '../snapshots/names.js'

/**
 * The default of a column as drizzle-kit takes it over: as it is where drizzle-kit writes it rightly, and else as SQL.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` for a value that has no text in SQL; it names table and column
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

/** The elements of an array as the driver takes them. */
function elements (base: PgColumn, values: readonly unknown[]): unknown[] {
  return values.map((value) => {
    if (value === null) return null
    if (is(base, PgArray) && Array.isArray(value)) return elements(base.baseColumn, value)
    // Its text, even of a value that is an array itself: a vector.
    return base.mapToDriverValue(value)
  })
}

/** Whether drizzle-kit writes a default so that PostgreSQL reads the same. */
function writesCorrectly (column: PgColumn, value: unknown): boolean {
  if (is(column, PgArray) && Array.isArray(value)) return value.every((element) => writesElementCorrectly(column.baseColumn, element))
  // Whoever gives a text for json that is JSON means what is in it: so drizzle-kit has always had it.
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
