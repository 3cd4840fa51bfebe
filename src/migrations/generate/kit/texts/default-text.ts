import { elementOf } from '../../../../drizzle/array-columns.js'
import { writingOf } from '../../../../drizzle/column-conversion.js'
import { sqlTypeOf } from '../../../../drizzle/column-types.js'
import { quotedText } from '../../snapshots/names.js'
import { arrayText, literal } from './literal.js'
import type { PgColumn } from 'drizzle-orm/pg-core'

/**
 * The default of a column as SQL.
 *
 * @throws TypeError for a value without text
 */
export function defaultText (column: PgColumn, value: unknown): string {
  const type = sqlTypeOf(column).toLowerCase()
  if (/^jsonb?$/.test(type)) return `${quotedText(JSON.stringify(value))}::${type}`
  const element = elementOf(column)
  return element !== undefined && Array.isArray(value) ? quotedText(arrayText(elements(element, value))) : literal(writingOf(column)(value))
}

/** The elements of an array as the driver sends them. */
function elements (base: PgColumn, values: readonly unknown[]): unknown[] {
  const element = elementOf(base)
  return values.map((value) => {
    if (value === null) return null
    if (element !== undefined && Array.isArray(value)) return elements(element, value)
    // The text of the value, even if the value is an array itself, such as a vector.
    return writingOf(base)(value)
  })
}
