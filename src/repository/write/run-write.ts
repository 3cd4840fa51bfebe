import { NotStoredError } from '../../errors/errors.js'
import { explained } from './failed-rows.js'
import type { Statement, StatementResult, StatementRunner } from '../../statement/statement.js'
import type { AnyRow } from '../table/answers.js'
import type { TableStatements } from '../table/table-statements.js'
import type { Change } from './column-values.js'

/** A statement that writes rows. */
export interface Writing {
  readonly table: TableStatements
  /** A row, encoded; of an update with what its condition compares. */
  readonly row: () => readonly Change[]
  readonly make: (row: readonly Change[]) => Statement
}

/** Like `ask()`, for a statement that writes these rows: an error says which column it is about, where that can be known. */
export async function askWriting<Result> (session: StatementRunner, { table, row, make }: Writing, read: (answer: StatementResult<AnyRow>, statement: Statement) => Result): Promise<Result> {
  const changes = row()
  const statement = make(changes)
  try {
    return read(await session.run<AnyRow>(statement), statement)
  } catch (error) {
    throw explained(error, { table, rows: [changes], start: undefined })
  }
}

/** The row that was inserted. @throws NotStoredError where PostgreSQL gives none back */
export function storedOf ({ rows: [row] }: StatementResult<AnyRow>, { context }: Statement): AnyRow {
  if (row === undefined) throw new NotStoredError(undefined, { context })
  return row
}

/** The number of rows that were written. */
export function writtenBy ({ rowCount }: StatementResult): number {
  return Number(rowCount)
}
