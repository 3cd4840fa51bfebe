import { getTableName, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { Aliases, literal, throughAlias } from '../table/aliases.js'
import { changeSql, collectChanges } from '../write/column-values.js'
import type { Change } from '../write/column-values.js'
import { collect, toSql } from '../filter/condition.js'
import type { Condition } from '../filter/condition.js'
import type { ConflictTarget } from './conflict-target.js'
import { collectColumnArrays, rowsOfColumnArrays } from '../bulk/unnest.js'
import type { ColumnArrays } from '../bulk/column-arrays.js'
import { createdReader } from '../../values/column-codec.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import type { Shape } from '../table/statement-shape.js'
import type { TableStatements } from '../table/table-statements.js'
import type { Statement } from '../../statement/statement.js'
import { insertable, valuesClause } from '../write/write-statements.js'

/** How an existing row with the same key is handled. */
export interface Conflict {
  readonly operation: string
  readonly target: ConflictTarget
  /** The changes to the existing row. Without any it stays unchanged. */
  readonly set: readonly Change[]
  /** The existing rows that are changed. */
  readonly where: Condition
}

/** Inserts a row, or changes the existing one; returns the written row and whether it was created. */
export function insertOnConflict (table: TableStatements, conflict: Conflict, changes: readonly Change[]): Statement {
  const shape = conflictShape(table, conflict)
  collectChanges(changes, shape)
  collectConflict(conflict, shape)
  return statementOf(table, { conflict, shape, columns: insertable(table), rows: () => valuesClause(table, [changes]) })
}

/** Like {@link insertOnConflict} for column arrays, in their order. PostgreSQL refuses two rows with the same key. */
export function insertColumnArraysOnConflict (table: TableStatements, conflict: Conflict, arrays: ColumnArrays): Statement {
  const shape = conflictShape(table, conflict)
  collectColumnArrays(arrays, shape)
  collectConflict(conflict, shape)
  return statementOf(table, { conflict, shape, columns: arrays.codecs, rows: () => rowsOfColumnArrays(table, arrays.codecs) })
}

function conflictShape (table: TableStatements, { operation, target }: Conflict): Shape {
  const shape = table.shape(operation)
  shape.key += `on ${target.codecs.map(({ index }) => index).join(',')} `
  return shape
}

function collectConflict ({ set, where }: Conflict, shape: Shape): void {
  if (set.length === 0) return
  collectChanges(set, shape)
  collect(where, shape)
}

interface Parts {
  readonly conflict: Conflict
  readonly shape: Shape
  /** The columns of the rows. */
  readonly columns: readonly ColumnCodec[]
  readonly rows: () => SQL
}

function statementOf (table: TableStatements, { conflict, shape, columns, rows }: Parts): Statement {
  return table.call(shape, () => {
    const target = targetOf(table)
    const insert = sql`insert into ${target.named} (${table.names(columns)}) ${rows()}`
    const returning = sql`returning ${target.own(table.returned())}, ${isNew(conflict, target)}`
    return {
      query: sql`${insert} ${conflictClause(table, conflict, target)} ${returning}`,
      reader: createdReader(table.codecs)
    }
  })
}

/** The table and its alias in the statement. */
interface Target {
  readonly named: SQL
  readonly name: SQL
  /** Rewrites SQL so that its columns are those of the existing row. */
  readonly own: (sql: SQL) => SQL
  /** Whether a row is in the table itself, not in a partition. */
  readonly isPlain: SQL
}

/** `excluded` is PostgreSQL's name for the row that was not inserted, so a table with that name needs an alias. */
function targetOf ({ table, builder }: TableStatements): Target {
  const alias = getTableName(table) === 'excluded' ? new Aliases([table], builder).textOf('there') : undefined
  const name = alias === undefined ? sql`${table}` : sql`${sql.identifier(alias)}`
  return {
    named: alias === undefined ? name : sql`${table} as ${name}`,
    name,
    own: alias === undefined ? (sql) => sql : (sql) => throughAlias(sql, table, alias),
    isPlain: sql`${name}.tableoid = ${literal(builder.sqlToQuery(sql`${table}`).sql)}::regclass`
  }
}

/**
 * A setting that marks an existing row of a partition, because RETURNING cannot read system columns there. RETURNING removes the
 * mark. A mark that stays, because a trigger left the row unchanged, has the time of an earlier statement and is ignored.
 */
const mark = literal('fastify_data_access.met')
const now = sql`statement_timestamp()::text`

/** The last part of the condition for changing an existing row. It is always true, and sets the mark. */
function setMark ({ isPlain }: Target): SQL {
  return sql`case when ${isPlain} then true else set_config(${mark}, ${now}, true) is not null end`
}

/** Whether a written row was created. */
function isNew ({ set }: Conflict, { name, isPlain }: Target): SQL {
  if (set.length === 0) return sql`true`
  // A new row has no xmax. An existing row is locked before it is changed, and its next version keeps the xmax of the lock.
  return sql`case when ${isPlain} then ${name}.xmax = 0 when current_setting(${mark}, true) = ${now} then set_config(${mark}, '', true) is null else true end`
}

/** https://www.postgresql.org/docs/current/sql-insert.html#SQL-ON-CONFLICT */
function conflictClause (table: TableStatements, { target, set, where }: Conflict, there: Target): SQL {
  const predicate = target.where && sql` where ${table.builder.unqualified(sql`${target.where}`.inlineParams())}`
  const onConflict = sql`on conflict (${table.names(target.codecs)})${predicate}`
  if (set.length === 0) return sql`${onConflict} do nothing`
  const assignments = set.map((change) => sql`${table.names([change[0]])} = ${there.own(changeSql(change))}`)
  const condition = toSql(where)
  return sql`${onConflict} do update set ${sql.join(assignments, sql`, `)} where ${condition && sql`${there.own(condition)} and `}${setMark(there)}`
}
