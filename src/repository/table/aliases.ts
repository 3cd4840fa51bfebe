/**
 * The aliases of a statement. A user's table or column may have any name, so no alias of a statement equals the name of a table or
 * a column in it.
 */
import { Column, SQL, aliasedTableColumn, getTableColumns, getTableName, is, sql } from 'drizzle-orm'
import { inlinesParams } from '../../drizzle/sql-internals.js'
import type { SQLChunk } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'

interface NameWriter {
  /** The name of a column, unquoted. */
  columnName (column: PgColumn): string
}

/** Makes aliases for one statement, from the tables in it. */
export class Aliases {
  readonly #taken = new Set<string>()

  constructor (tables: Iterable<PgTable>, writer: NameWriter) {
    for (const table of tables) {
      this.#taken.add(getTableName(table))
      // Uses the names in the database: in ORDER BY, an output column takes precedence over an alias.
      for (const column of Object.values(getTableColumns(table))) this.#taken.add(writer.columnName(column))
    }
  }

  /** The wanted name, with a number if the statement already uses it. */
  textOf (wanted: string): string {
    let name = wanted
    for (let count = 1; this.#taken.has(name); count++) name = `${wanted}_${count}`
    this.#taken.add(name)
    return name
  }

  /** The same, quoted for SQL. */
  of (wanted: string): SQL {
    return sql`${sql.identifier(this.textOf(wanted))}`
  }
}

/** Replaces the columns of a table in SQL by those of its alias. Subqueries of Drizzle's builder stay unchanged. */
export function throughAlias (own: SQL, table: PgTable, alias: string): SQL {
  const mapped = new SQL(own.queryChunks.map((chunk): SQLChunk => {
    if (is(chunk, Column)) return chunk.table === table ? aliasedTableColumn(chunk, alias) : chunk
    return is(chunk, SQL) ? throughAlias(chunk, table, alias) : chunk
  }))
  return inlinesParams(own) ? mapped.inlineParams() : mapped
}

/** A text as an SQL literal, independent of the server's setting for backslashes. */
export function literal (text: string): SQL {
  const doubled = text.replaceAll("'", "''")
  return sql.raw(text.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`)
}
