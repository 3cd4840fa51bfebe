import { NotStoredError } from '../../errors/errors.js'
import { explained } from './failed-rows.js'
import type { Statement, StatementResult, StatementRunner } from '../../statement/statement.js'
import type { AnyRow } from '../table/answers.js'
import type { TableStatements } from '../table/table-statements.js'
import type { Change } from './column-values.js'

/** A statement that writes rows. */
export interface Writing {
  readonly table: TableStatements
  /** The encoded row; for an update, also the values of its condition. */
  readonly row: () => readonly Change[]
  readonly make: (row: readonly Change[]) => Statement
}

/** Like `ask()`, for a statement that writes a row: an error names its column, if that is known. */
export async function askWriting<Result> (
  session: StatementRunner, { table, row, make }: Writing, read: (result: StatementResult<AnyRow>, statement: Statement) => Result
): Promise<Result> {
  const changes = row()
  const statement = make(changes)
  try {
    return read(await session.run<AnyRow>(statement), statement)
  } catch (error) {
    throw explained(error, { table, rows: [changes], start: undefined })
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
