import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { changeSql, collectChanges } from './changes.js'
import type { Change } from './changes.js'
import { collect, toSql } from './condition.js'
import type { Condition } from './condition.js'
import type { ConflictTarget } from './conflict-target.js'
import { collectLists, rowsOfLists } from './insert-lists.js'
import type { Lists } from './lists.js'
import { createdReader } from './rows.js'
import type { ColumnCodec } from './rows.js'
import type { Shape } from './shape.js'
import type { TableStatements } from './statements.js'
import type { Statement } from '../session/statement.js'
import { insertable, valuesClause } from './write.js'

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
export function insertListsOnConflict (table: TableStatements, conflict: Conflict, lists: Lists): Statement {
  const shape = conflictShape(table, conflict)
  collectLists(lists, shape)
  collectConflict(conflict, shape)
  return statementOf(table, { conflict, shape, columns: lists.codecs, rows: () => rowsOfLists(table, lists.codecs) })
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
    // A new row has no xmax. One that was there was locked before it was changed, and its next version keeps the mark of that.
    const returned = sql`${table.returned()}, (xmax = 0)`
    return {
      query: sql`insert into ${table.table} (${table.names(columns)}) ${rows()} ${conflictClause(table, conflict)} returning ${returned}`,
      reader: createdReader(table.codecs)
    }
  })
}

/** https://www.postgresql.org/docs/current/sql-insert.html#SQL-ON-CONFLICT */
function conflictClause (table: TableStatements, { target, set, where }: Conflict): SQL {
  const predicate = target.where && sql` where ${table.builder.unqualified(sql`${target.where}`.inlineParams())}`
  const met = sql`on conflict (${table.names(target.codecs)})${predicate}`
  if (set.length === 0) return sql`${met} do nothing`
  const assignments = set.map((change) => sql`${table.names([change[0]])} = ${changeSql(change)}`)
  const condition = toSql(where)
  return sql`${met} do update set ${sql.join(assignments, sql`, `)}${condition && sql` where ${condition}`}`
}
