import { isArrayType } from '../drizzle/column-types.js'
import { typeOf } from './driver-values.js'
import type { PgColumn } from 'drizzle-orm/pg-core'

const wholeNumbers = /^(?:(?:small|big)?(?:int|serial)|integer|int\d)\b/
const otherNumbers = /^(?:real|float\d?|double precision|numeric|decimal)\b/

/** Whether a column holds whole numbers, by the name of its type. */
export function holdsWholeNumbers (column: PgColumn): boolean {
  return wholeNumbers.test(typeOf(column)) && !isArrayType(column)
}

/** Whether a column holds numbers, by the name of its type: a domain over numbers has another. */
export function holdsNumbers (column: PgColumn): boolean {
  return holdsWholeNumbers(column) || (otherNumbers.test(typeOf(column)) && !isArrayType(column))
}
