import { NotStoredError } from '../../errors/errors.js'
import { explained } from './failed-rows.js'
import type { Statement, StatementResult, StatementRunner } from '../../statement/statement.js'
import type { AnyRow } from '../table/answers.js'
import type { TableStatements } from '../table/table-statements.js'
import type { Change } from './column-values.js'

/** A statement that writes rows. */
export interface Writing {
  readonly table: TableStatements
  readonly make: () => Statement
  /** The row that was sent, for an error; for an update, also the values of its condition. */
  readonly row: () => readonly Change[]
}

/** Like `ask()`, for a statement that writes a row: an error names its column, if that is known. */
export async function askWriting<Result> (
  session: StatementRunner, { table, make, row }: Writing, read: (result: StatementResult<AnyRow>, statement: Statement) => Result
): Promise<Result> {
  const statement = make()
  try {
    return read(await session.run<AnyRow>(statement), statement)
  } catch (error) {
    throw explained(error, { table, rows: [row()], start: undefined })
  }
}

/** The inserted row. @throws NotStoredError if PostgreSQL returns none */
export function storedOf ({ rows: [row] }: StatementResult<AnyRow>, { context }: Statement): AnyRow {
  if (row === undefined) throw new NotStoredError(undefined, { context })
  return row
}

/** The number of written rows. */
export function writtenBy ({ rowCount }: StatementResult): number {
  return Number(rowCount)
}
