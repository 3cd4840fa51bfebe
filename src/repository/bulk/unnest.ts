import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { Aliases, literal } from '../table/aliases.js'
import type { ColumnArrays } from './column-arrays.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import { parameter } from '../read/select.js'
import type { Shape } from '../table/statement-shape.js'
import type { TableStatements } from '../table/table-statements.js'
import type { Statement } from '../../statement/statement.js'

/** New rows from lists, stored and answered in the order of the lists: one statement for every number of rows. */
export function insertColumnArrays (table: TableStatements, operation: string, lists: ColumnArrays): Statement {
  const shape = table.shape(operation)
  collectColumnArrays(lists, shape)
  return table.call(shape, () => ({
    query: sql`insert into ${table.table} (${table.names(lists.codecs)}) ${rowsOfColumnArrays(table, lists.codecs)} returning ${table.returned()}`,
    columns: table.codecs
  }))
}

/** Adds lists to the shape of a call. */
export function collectColumnArrays ({ codecs, lists, rows }: ColumnArrays, shape: Shape): void {
  shape.key += 'lists '
  for (const { index } of codecs) shape.key += `${index},`
  shape.values.push(rows, ...lists)
}

/**
 * The rows that lists are unfolded to: side by side among what is selected, which takes PostgreSQL less than `from unnest(…)`,
 * where each list is kept as a table of its own first.
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
  // By the column of the list: a bare name would be that of a column of the table, if there is one.
  return sql`select ${sql.join(values, sql`, `)} from (select generate_series(1, ${parameter}::integer) as ${place}, ${sql.join(unfolded, sql`, `)}) as ${list} order by ${list}.${place}`
}

/** PostgreSQL cannot tell the type of an array that is only unnested: an empty list of the column's own values does. */
function listParameter (table: TableStatements, { column, list }: ColumnCodec): SQL {
  return list === 'text' ? sql`${parameter}::text[]` : sql`coalesce(${parameter}, array(select ${column} from ${table.table} limit 0))`
}

/**
 * A text as a value of a column, whose type may have a name that Drizzle does not know: PostgreSQL looks it up in the table.
 * That is asked for a row, of which there is none: as the name of a type `"path"` would be PostgreSQL's own, whatever tables there are.
 */
function read (table: TableStatements, { column }: ColumnCodec, { text, row }: { text: SQL, row: SQL }): SQL {
  const name = table.builder.unqualified(sql`${column}`)
  const key = literal(table.builder.nameOf(column))
  return sql`(json_populate_record((select ${row} from ${table.table} as ${row} where false), json_build_object(${key}, ${text}))).${name}`
}
