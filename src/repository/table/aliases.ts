/**
 * The names that statements give to their own parts. A user's table or column may have any name, so that none is taken for
 * granted: in one statement no alias is called as a table or a column that stands in it.
 */
import { Column, SQL, aliasedTableColumn, getTableColumns, getTableName, is, sql } from 'drizzle-orm'
import { inlinesParams } from '../../drizzle/sql-internals.js'
import type { SQLChunk } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'

interface NameWriter {
  /** The name of a column as a text. */
  columnName (column: PgColumn): string
}

/** Makes aliases for one statement, from the tables in it. */
export class Aliases {
  readonly #taken = new Set<string>()

  constructor (tables: Iterable<PgTable>, writer: NameWriter) {
    for (const table of tables) {
      this.#taken.add(getTableName(table))
      // Columns are written in their own casing, and an alias may be none of them: an output column would win in ORDER BY.
      for (const column of Object.values(getTableColumns(table))) this.#taken.add(writer.columnName(column))
    }
  }

  /** A name like the one wanted that nothing in the statement has, an alias made before included. */
  textOf (wanted: string): string {
    let name = wanted
    for (let count = 1; this.#taken.has(name); count++) name = `${wanted}_${count}`
    this.#taken.add(name)
    return name
  }

  /** The same as it stands in SQL. */
  of (wanted: string): SQL {
    return sql`${sql.identifier(this.textOf(wanted))}`
  }
}

/** SQL in which the columns of a table are those of its alias; what stands in subqueries of Drizzle's builder is left as it is. */
export function throughAlias (own: SQL, table: PgTable, alias: string): SQL {
  const mapped = new SQL(own.queryChunks.map((chunk): SQLChunk => {
    if (is(chunk, Column)) return chunk.table === table ? aliasedTableColumn(chunk, alias) : chunk
    return is(chunk, SQL) ? throughAlias(chunk, table, alias) : chunk
  }))
  return inlinesParams(own) ? mapped.inlineParams() : mapped
}

/** A text as it stands in SQL, whatever the server thinks of backslashes. */
export function literal (text: string): SQL {
  const doubled = text.replaceAll("'", "''")
  return sql.raw(text.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`)
}
