import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { Lists } from './lists.js'
import type { ColumnCodec } from './rows.js'
import { parameter } from './select.js'
import type { Shape } from './shape.js'
import type { TableStatements } from './statements.js'
import type { Statement } from '../session/statement.js'

/** New rows from lists, stored and answered in the order of the lists: one statement for every number of rows. */
export function insertLists (table: TableStatements, operation: string, lists: Lists): Statement {
  const shape = table.shape(operation)
  collectLists(lists, shape)
  return table.call(shape, () => ({
    query: sql`insert into ${table.table} (${table.names(lists.codecs)}) ${rowsOfLists(table, lists.codecs)} returning ${table.returned()}`,
    columns: table.codecs
  }))
}

/** Adds lists to the shape of a call. */
export function collectLists ({ codecs, lists, rows }: Lists, shape: Shape): void {
  shape.key += 'lists '
  for (const { index } of codecs) shape.key += `${index},`
  shape.values.push(rows, ...lists)
}

/**
 * The rows that lists are unfolded to: side by side among what is selected, which takes PostgreSQL less than `from unnest(…)`,
 * where each list is kept as a table of its own first.
 */
export function rowsOfLists (table: TableStatements, codecs: readonly ColumnCodec[]): SQL {
  const names = codecs.map((_, place) => sql.raw(`"c${place}"`))
  const lists = codecs.map((codec, place) => sql`unnest(${listParameter(table, codec)}) as ${names[place]}`)
  const values = codecs.map((codec, place) => codec.list === 'text' ? read(table, codec, names[place] as SQL) : names[place])
  return sql`select ${sql.join(values, sql`, `)} from (select generate_series(1, ${parameter}::integer) as "place", ${sql.join(lists, sql`, `)}) as "list" order by "place"`
}

/** PostgreSQL cannot tell the type of an array that is only unnested: an empty list of the column's own values does. */
function listParameter (table: TableStatements, { column, list }: ColumnCodec): SQL {
  return list === 'text' ? sql`${parameter}::text[]` : sql`coalesce(${parameter}, array(select ${column} from ${table.table} limit 0))`
}

/** A text as a value of a column, whose type may have a name that Drizzle does not know: PostgreSQL looks it up in the table. */
function read (table: TableStatements, { column }: ColumnCodec, text: SQL): SQL {
  const name = table.builder.unqualified(sql`${column}`)
  const key = sql.raw(`'${table.builder.nameOf(column).replaceAll("'", "''")}'`)
  return sql`(json_populate_record(null::${table.table}, json_build_object(${key}, ${text}))).${name}`
}
