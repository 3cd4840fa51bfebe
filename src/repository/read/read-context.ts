import { allOf, everything } from '../filter/condition.js'
import { keyCondition } from '../filter/key-condition.js'
import type { StatementRunner } from '../../statement/statement.js'
import type { Condition } from '../filter/condition.js'
import type { TableStatements } from '../table/table-statements.js'

/** The parts of a repository that its reads need. */
export interface ReadContext {
  readonly table: TableStatements
  readonly session: StatementRunner
  /** The rows that the repository sees. */
  readonly visibleRows: Condition
}

/** The condition for the row of a primary key, if the repository sees it. */
export function rowWithKey ({ table, visibleRows }: ReadContext, id: unknown): Condition {
  const row = keyCondition(id, table)
  return visibleRows === everything ? row : allOf([row, visibleRows])
}

/** The operation and the table, for an error of the repository. */
export function errorContext ({ table }: ReadContext, operation: string): { context: { operation: string, table: string } } {
  return { context: { operation, table: table.name } }
}
