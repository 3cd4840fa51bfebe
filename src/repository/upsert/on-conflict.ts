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

/** What becomes of a row that is in the way of a new one. */
export interface Conflict {
  readonly operation: string
  readonly target: ConflictTarget
  /** What is written into the row that is there; nothing leaves it as it is. */
  readonly set: readonly Change[]
  /** Which rows it is written into. */
  readonly where: Condition
}

/** Inserts a row, or changes the one in its way; answers with what was written, and whether it was made. */
export function insertOnConflict (table: TableStatements, conflict: Conflict, changes: readonly Change[]): Statement {
  const shape = conflictShape(table, conflict)
  collectChanges(changes, shape)
  collectConflict(conflict, shape)
  return statementOf(table, { conflict, shape, columns: insertable(table), rows: () => valuesClause(table, [changes]) })
}

/** As {@link insertOnConflict} for rows from lists, in their order: PostgreSQL refuses those that meet each other. */
export function insertColumnArraysOnConflict (table: TableStatements, conflict: Conflict, lists: ColumnArrays): Statement {
  const shape = conflictShape(table, conflict)
  collectColumnArrays(lists, shape)
  collectConflict(conflict, shape)
  return statementOf(table, { conflict, shape, columns: lists.codecs, rows: () => rowsOfColumnArrays(table, lists.codecs) })
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
  /** Which columns the rows have. */
  readonly columns: readonly ColumnCodec[]
  readonly rows: () => SQL
}

function statementOf (table: TableStatements, { conflict, shape, columns, rows }: Parts): Statement {
  return table.call(shape, () => {
    const target = targetOf(table)
    return {
      query: sql`insert into ${target.named} (${table.names(columns)}) ${rows()} ${conflictClause(table, conflict, target)} returning ${target.own(table.returned())}, ${isNew(conflict, target)}`,
      reader: createdReader(table.codecs)
    }
  })
}

/** The table as it is called in the statement. */
interface Target {
  readonly named: SQL
  readonly name: SQL
  /** SQL whose columns of the table are those of the row that is there. */
  readonly own: (sql: SQL) => SQL
  /** Whether a row is one of the table's own, and not of one of its partitions. */
  readonly isPlain: SQL
}

/** `excluded` is PostgreSQL's name for the row that was to be inserted: a table of that name needs another one here. */
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
 * Says of a row of a partition that it was met: its system columns cannot be read any more when it is returned. The mark is taken
 * away again with the answer; one that no answer takes, where a trigger left the row as it was, is of another time.
 */
const mark = literal('fastify_data_access.met')
const now = sql`statement_timestamp()::text`

/** For the condition under which a row that is there is written, as its last part. */
function noted ({ isPlain }: Target): SQL {
  return sql`case when ${isPlain} then true else set_config(${mark}, ${now}, true) is not null end`
}

/** Whether a row that was written was made. */
function isNew ({ set }: Conflict, { name, isPlain }: Target): SQL {
  if (set.length === 0) return sql`true`
  // A new row has no xmax. One that was there was locked before it was changed, and its next version keeps the mark of that.
  return sql`case when ${isPlain} then ${name}.xmax = 0 when current_setting(${mark}, true) = ${now} then set_config(${mark}, '', true) is null else true end`
}

/** https://www.postgresql.org/docs/current/sql-insert.html#SQL-ON-CONFLICT */
function conflictClause (table: TableStatements, { target, set, where }: Conflict, there: Target): SQL {
  const predicate = target.where && sql` where ${table.builder.unqualified(sql`${target.where}`.inlineParams())}`
  const met = sql`on conflict (${table.names(target.codecs)})${predicate}`
  if (set.length === 0) return sql`${met} do nothing`
  const assignments = set.map((change) => sql`${table.names([change[0]])} = ${there.own(changeSql(change))}`)
  const condition = toSql(where)
  return sql`${met} do update set ${sql.join(assignments, sql`, `)} where ${condition && sql`${there.own(condition)} and `}${noted(there)}`
}
