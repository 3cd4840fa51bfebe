/** The types of columns, by the names of Drizzle 0.45. */
import { depthOf, elementOf } from './array-columns.js'
import { isDrizzle1 } from './version.js'
import type { PgColumn } from 'drizzle-orm/pg-core'

/** The kind of JavaScript value: `string`, `number`, `bigint`, `boolean`, `date`, `json`, `array`, `buffer` or `custom`. */
export function dataTypeOf (column: PgColumn): string {
  if (!isDrizzle1) return column.dataType
  if (elementOf(column) !== undefined) return 'array'
  const [type, detail] = column.dataType.split(' ') as [string, string?]
  return type !== 'object' ? type : detail === 'date' || detail === 'buffer' ? detail : 'json'
}

/** The name of the column's class; `PgArray` for every array. */
export function columnTypeOf (column: PgColumn): string {
  return isDrizzle1 && elementOf(column) !== undefined ? 'PgArray' : column.columnType
}

/** The SQL type, with the brackets of an array. */
export function sqlTypeOf (column: PgColumn): string {
  return isDrizzle1 ? `${column.getSQLType()}${'[]'.repeat(depthOf(column))}` : column.getSQLType()
}

/** Whether the SQL type is an array, also that of a custom type, which has no elements in Drizzle. */
export function isArrayType (column: PgColumn): boolean {
  return sqlTypeOf(column).endsWith(']')
}

const castTypes: Readonly<Record<string, string>> = { varchar: 'text', char: 'bpchar', smallserial: 'smallint', serial: 'integer', bigserial: 'bigint' }

/** The type to which a text is cast to compare it with the column: one with a length would cut the text, and a serial is no type for a cast. */
export function castTypeOf (column: PgColumn): string {
  const type = sqlTypeOf(column).replace(/\s*\(.*\)$/s, '')
  return castTypes[type] ?? type
}
