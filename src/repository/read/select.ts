import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { Aliases } from '../table/aliases.js'
import { collect, toSql } from '../filter/condition.js'
import type { Condition } from '../filter/condition.js'
import { encodeKey } from '../filter/key-condition.js'
import { parseReadOptions } from './parse-options.js'
import type { AskedOptions, Bounds, LockClause } from './parse-options.js'
import { parameter } from '../table/statement-shape.js'
import { typedArray } from '../table/typed-array.js'
import type { Statement } from '../../statement/statement.js'
import type { TableStatements } from '../table/table-statements.js'

/** The rows that a select reads. */
export interface Selection extends AskedOptions {
  readonly operation: string
  readonly where: Condition
  /** The maximum number of rows, if the method sets it and not the options. */
  readonly limit?: number
  /** The part of a list to read. */
  readonly bounds?: Bounds
}

/** Selects rows of the table in order: one row, the first one, or a page. */
export function select (table: TableStatements, { operation, where, options, kind, limit, bounds }: Selection): Statement {
  const shape = table.shape(operation)
  collect(where, shape)
  const { columns, orderBy, lock } = parseReadOptions(shape, table, { options, kind })
  if (bounds !== undefined) shape.values.push(bounds.limit, bounds.skip)
  if (limit !== undefined) shape.values.push(limit)
  return table.call(shape, () => {
    const query = table.builder.drizzle.select(table.fields(columns)).from(table.table).where(toSql(where)).orderBy(...orderBy()).$dynamic()
    if (bounds !== undefined) query.limit(parameter).offset(parameter)
    if (limit !== undefined) query.limit(parameter)
    if (lock !== undefined) query.for(lock.strength, lockConfig(lock))
    return { query: query.getSQL(), columns, kind: lock === undefined ? 'read' : 'write', nowait: lock?.nowait === true }
  })
}

function lockConfig ({ nowait, skipLocked }: LockClause): { noWait: true } | { skipLocked: true } | Record<never, never> {
  if (nowait) return { noWait: true }
  return skipLocked ? { skipLocked: true } : {}
}

/** Selects the rows of a list of keys, in the order of the list: one statement for lists of any length. */
export function selectMany (table: TableStatements, ids: readonly unknown[], visibleRows: Condition): Statement {
  const { primaryKey } = table
  const keys = ids.map((id) => encodeKey(id, table))
  const shape = table.shape('getMany')
  shape.values.push(...primaryKey.map((_, part) => keys.map((key) => key[part])))
  collect(visibleRows, shape)
  return table.call(shape, () => {
    const { wanted, matches, place } = wantedKeys(table)
    const columns = sql.join(table.codecs.map(({ column }) => column), sql`, `)
    const condition = toSql(visibleRows)
    const where = condition && sql` where ${condition}`
    return {
      query: sql`select ${columns} from ${table.table} join ${wanted} on ${matches}${where} order by ${place}`,
      columns: table.codecs,
      kind: 'read'
    }
  })
}

/** A list of keys that a table is joined with. */
export interface WantedKeys {
  /** The list as a table; its parameters are one array per part of the key. */
  readonly wanted: SQL
  /** The join condition. */
  readonly matches: SQL
  /** The position of the key in the list, from 1. */
  readonly place: SQL
}

/** The keys of a list with their positions, to join with the table. */
export function wantedKeys ({ primaryKey, table, builder }: TableStatements, aliases = new Aliases([table], builder)): WantedKeys {
  const lists = primaryKey.map(({ column }) => typedArray(parameter, column, table))
  const [wanted, place] = [aliases.of('wanted'), aliases.of('place')]
  const names = primaryKey.map((_, part) => aliases.of(`key_${part}`))
  return {
    wanted: sql`unnest(${sql.join(lists, sql`, `)}) with ordinality as ${wanted} (${sql.join([...names, place], sql`, `)})`,
    matches: sql.join(primaryKey.map(({ column, coarse }, part) => {
      const value = sql`${wanted}.${names[part]}`
      return coarse ? sql`${column} between ${value} and ${value} + interval '999 microseconds'` : sql`${column} = ${value}`
    }), sql` and `),
    place: sql`${wanted}.${place}`
  }
}

/** Counts the rows that match. */
export function count (table: TableStatements, where: Condition): Statement {
  const shape = table.shape('count')
  collect(where, shape)
  return table.call(shape, () => ({
    query: table.builder.drizzle.select({ count: sql`count(*)` }).from(table.table).where(toSql(where)).getSQL(),
    kind: 'read'
  }))
}

/** Selects one row with a constant if any row matches. */
export function exists (table: TableStatements, where: Condition): Statement {
  const shape = table.shape('exists')
  collect(where, shape)
  shape.values.push(1)
  return table.call(shape, () => ({
    query: table.builder.drizzle.select({ one: sql`1` }).from(table.table).where(toSql(where)).limit(parameter).getSQL(),
    kind: 'read'
  }))
}

/** Selects whether policies may hide rows of the table from the current user. It runs after the write, in the same transaction. */
export function policed (table: TableStatements, operation: string): Statement {
  const shape = table.shape(`${operation} policed`)
  shape.values.push(table.builder.dialect.sqlToQuery(sql`${table.table}`).sql)
  return table.call(shape, () => ({ query: sql`select row_security_active(${parameter}::text)` }))
}
