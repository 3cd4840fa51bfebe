import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { Aliases, literal } from '../table/aliases.js'
import type { ColumnArrays } from './column-arrays.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import { parameter } from '../table/statement-shape.js'
import type { Shape } from '../table/statement-shape.js'
import { typedArray } from '../table/typed-array.js'
import type { TableStatements } from '../table/table-statements.js'
import type { Statement } from '../../statement/statement.js'
import type { InsertStatements } from '../write/write-statements.js'

/** Inserts the rows of column arrays, in order: one statement for any number of rows. */
export function insertColumnArrays (table: TableStatements, { operation, returning }: InsertStatements, arrays: ColumnArrays): Statement {
  const shape = table.shape(operation)
  if (returning) shape.key += 'returning '
  collectColumnArrays(arrays, shape)
  return table.call(shape, () => {
    const query = sql`insert into ${table.table} (${table.names(arrays.codecs)}) ${rowsOfColumnArrays(table, arrays.codecs)}`
    return returning ? { query: sql`${query} returning ${table.returned()}`, columns: table.codecs } : { query }
  })
}

/** Adds column arrays to the shape of a call. */
export function collectColumnArrays ({ codecs, arrays, rows }: ColumnArrays, shape: Shape): void {
  shape.key += 'lists '
  for (const { index } of codecs) shape.key += `${index},`
  shape.values.push(rows, ...arrays)
}

/**
 * The rows of column arrays. `unnest` stands in the SELECT list, which is faster than `from unnest(…)`: there PostgreSQL
 * materializes each array as a table first.
 */
export function rowsOfColumnArrays (table: TableStatements, codecs: readonly ColumnCodec[]): SQL {
  const aliases = new Aliases([table.table], table.builder)
  const [list, place] = [aliases.of('list'), aliases.of('place')]
  const names = codecs.map((_, index) => aliases.of(`c${index}`))
  const unfolded = codecs.map((codec, index) => sql`unnest(${listParameter(table, codec)}) as ${names[index]}`)
  const values = codecs.map((codec, index) => {
    const value = sql`${list}.${names[index]}`
    return codec.list === 'text' ? read(table, codec, { text: value, row: aliases.of('row') }) : value
  })
  // Ordered by the qualified name: a bare one could be a column of the table.
  const rows = sql`select generate_series(1, ${parameter}::integer) as ${place}, ${sql.join(unfolded, sql`, `)}`
  return sql`select ${sql.join(values, sql`, `)} from (${rows}) as ${list} order by ${list}.${place}`
}

function listParameter (table: TableStatements, { column, list }: ColumnCodec): SQL {
  return list === 'text' ? sql`${parameter}::text[]` : typedArray(parameter, column, table.table)
}

/**
 * Converts a text to the type of a column. Drizzle may not know the name of the type, so PostgreSQL takes it from a row of the
 * table. The row is an empty subquery, because the name of the table could also be the name of a type, such as `"path"`.
 */
function read (table: TableStatements, { column }: ColumnCodec, { text, row }: { text: SQL, row: SQL }): SQL {
  const name = table.builder.unqualified(sql`${column}`)
  const key = literal(table.builder.columnName(column))
  return sql`(json_populate_record((select ${row} from ${table.table} as ${row} where false), json_build_object(${key}, ${text}))).${name}`
}
