import { StringChunk, sql } from 'drizzle-orm'
import type { SQL, SQLChunk } from 'drizzle-orm'
import { changeSql, collectChanges } from './column-values.js'
import type { Change } from './column-values.js'
import { collect, toSql } from '../filter/condition.js'
import type { Condition } from '../filter/condition.js'
import { isSql } from '../../values/column-codec.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import type { Statement } from '../../statement/statement.js'
import type { TableStatements } from '../table/table-statements.js'

/** The rows to write, and whether the result has the rows or only their number. */
export interface Write {
  readonly operation: string
  readonly where: Condition
  readonly returning: boolean
}

/** Longer lists are not cached: a length rarely repeats, and the text is long. */
const mostRememberedRows = 20

/** The columns that an INSERT names. */
export function insertable (table: TableStatements): ColumnCodec[] {
  return table.codecs.filter(({ column }) => column.generated === undefined)
}

/**
 * `values (…), (…)` for all columns that are {@link insertable}.
 * It is one flat list of few chunks. Drizzle's own has several nested chunks per value and takes seconds for long lists.
 */
export function valuesClause (table: TableStatements, rows: ReadonlyArray<readonly Change[]>): SQL {
  const columns = insertable(table)
  const pieces: SQLChunk[] = []
  let text = 'values '
  for (const [index, changes] of rows.entries()) {
    const values = new Map(changes)
    text += index === 0 ? '(' : ', ('
    for (const [place, codec] of columns.entries()) {
      const value = values.get(codec)
      if (place > 0) text += ', '
      if (value === undefined) {
        text += 'default'
      } else {
        pieces.push(new StringChunk(text), isSql(value) ? value : sql.param(value))
        text = ''
      }
    }
    text += ')'
  }
  pieces.push(new StringChunk(text))
  return sql.fromList(pieces)
}

/** The method that inserts, and whether the results of its statements have the rows or only their number. */
export type InsertStatements = Pick<Write, 'operation' | 'returning'>

/** One or more new rows, in one statement. */
export function insert (table: TableStatements, { operation, returning }: InsertStatements, rows: ReadonlyArray<readonly Change[]>): Statement {
  const shape = table.shape(operation)
  if (returning) shape.key += 'returning '
  for (const changes of rows) collectChanges(changes, shape)
  shape.cacheable = rows.length <= mostRememberedRows
  return table.call(shape, () => {
    const query = sql`insert into ${table.table} (${table.names(insertable(table))}) ${valuesClause(table, rows)}`
    return returning ? { query: sql`${query} returning ${table.names(table.codecs)}`, columns: table.codecs } : { query }
  })
}

/** Changes the rows that match. */
export function update (table: TableStatements, { operation, changes, where, returning }: Write & { changes: readonly Change[] }): Statement {
  const shape = table.shape(operation)
  if (returning) shape.key += 'returning '
  collectChanges(changes, shape)
  collect(where, shape)
  return table.call(shape, () => {
    // Drizzle's own `set` would find `constructor` and `toString` in any object.
    const assignments = changes.map((change) => sql`${table.names([change[0]])} = ${changeSql(change)}`)
    const condition = toSql(where)
    const query = sql`update ${table.table} set ${sql.join(assignments, sql`, `)}${condition && sql` where ${condition}`}`
    return returning ? { query: sql`${query} returning ${table.returned()}`, columns: table.codecs } : { query }
  })
}

/** Permanently deletes the rows that match. */
export function remove (table: TableStatements, { operation, where, returning }: Write): Statement {
  const shape = table.shape(operation)
  if (returning) shape.key += 'returning '
  collect(where, shape)
  return table.call(shape, () => {
    const query = table.builder.drizzle.delete(table.table).where(toSql(where))
    return returning
      ? { query: query.returning(table.fields(table.codecs)).getSQL(), columns: table.codecs }
      : { query: query.getSQL() }
  })
}
