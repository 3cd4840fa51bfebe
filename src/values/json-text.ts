/** Values inside JSON: the text of each is selected there, and read by the type that its column declares, for PostgreSQL reports none. */
import { sql } from 'drizzle-orm'
import { readerOf, typeOf } from './driver-values.js'
import { elementTypes } from './element-types.js'
import type { SQL } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import type { TextReader } from './driver-values.js'

/** PostgreSQL's own types, by the names that columns declare. Any other type has no parser in pg, and its text is its value. */
const types = new Map(([
  [16, 'boolean', 'bool'], [17, 'bytea'], [20, 'bigint', 'int8', 'bigserial', 'serial8'], [21, 'smallint', 'int2', 'smallserial', 'serial2'],
  [23, 'integer', 'int', 'int4', 'serial', 'serial4'], [26, 'oid'], [25, 'text'], [1042, 'char', 'character', 'bpchar'],
  [1043, 'varchar', 'character varying'], [114, 'json'], [3802, 'jsonb'], [142, 'xml'], [2950, 'uuid'], [790, 'money'],
  [700, 'real', 'float4'], [701, 'double precision', 'float8'], [1700, 'numeric', 'decimal'], [1082, 'date'],
  [1083, 'time', 'time without time zone'], [1266, 'timetz', 'time with time zone'], [1186, 'interval'],
  [1114, 'timestamp', 'timestamp without time zone'], [1184, 'timestamptz', 'timestamp with time zone'], [600, 'point'], [601, 'lseg'],
  [602, 'path'], [603, 'box'], [604, 'polygon'], [628, 'line'], [718, 'circle'], [869, 'inet'], [650, 'cidr'], [829, 'macaddr'],
  [774, 'macaddr8'], [1560, 'bit'], [1562, 'bit varying', 'varbit']
] as const).flatMap(([oid, ...names]) => names.map((name): [string, number] => [name, oid])))

const arrayTypes = new Map(Array.from(elementTypes, ([array, element]) => [element, array]))

/** The reader of a column's text, as {@link readerOf} makes it for the declared type; undefined if it stays text. */
export function declaredReader (column: PgColumn): TextReader {
  const declared = typeOf(column).replace(/\s+/g, ' ').trim()
  const element = declared.replace(/\[\d*\]/g, '')
  const type = types.get(element) ?? 0
  return readerOf(column, element === declared ? type : arrayTypes.get(type) ?? 0)
}

/**
 * The text of a value as PostgreSQL sends it. A cast differs for some types: `::text` adds a mask to an inet, and removes the
 * blanks of a char. Only IS DISTINCT FROM tells a composite value that consists of NULLs from NULL.
 */
export function textOf (value: SQL): SQL {
  return sql`case when ${value} is distinct from null then concat(${value}) end`
}
