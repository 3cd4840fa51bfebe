import { NotStoredError } from '../../errors/errors.js'
import { explained } from '../write/failed-rows.js'
import type { Change } from '../write/column-values.js'
import type { TableStatements } from './table-statements.js'
import type { Statement, StatementResult, StatementRunner } from '../../statement/statement.js'

/** A statement that writes rows. */
export interface Writing {
  readonly table: TableStatements
  /** A row, encoded; of an update with what its condition compares. */
  readonly row: () => readonly Change[]
  readonly make: (row: readonly Change[]) => Statement
}

/** A row as an object. */
export type AnyRow = Record<string, unknown>

/** Runs the statement that is made, and resolves with what is read of its answer; what is thrown on the way rejects. */
export async function ask<Row, Result> (session: StatementRunner, make: () => Statement, read: (answer: StatementResult<Row>, statement: Statement) => Result): Promise<Result> {
  const statement = make()
  return read(await session.run<Row>(statement), statement)
}

/** As {@link ask} for a statement that writes these rows: an error says which column it is about, where that can be known. */
export async function askWriting<Result> (session: StatementRunner, { table, row, make }: Writing, read: (answer: StatementResult<AnyRow>, statement: Statement) => Result): Promise<Result> {
  const changes = row()
  const statement = make(changes)
  try {
    return read(await session.run<AnyRow>(statement), statement)
  } catch (error) {
    throw explained(error, { table, rows: [changes], start: undefined })
  }
}

/** The rows, as objects. */
export function rowsOf ({ rows }: StatementResult<AnyRow>): AnyRow[] {
  return rows
}

/** The first row, if there is one. */
export function firstOf ({ rows }: StatementResult<AnyRow>): AnyRow | undefined {
  return rows[0]
}

/** The row that was inserted. @throws NotStoredError where PostgreSQL gives none back */
export function storedOf ({ rows: [row] }: StatementResult<AnyRow>, { context }: Statement): AnyRow {
  if (row === undefined) throw new NotStoredError(undefined, { context })
  return row
}

/** The one value that was asked for; undefined without a row. */
export function valueOf ({ rows }: StatementResult<unknown[]>): unknown {
  return rows[0]?.[0]
}

/** The number of rows that were written. */
export function writtenBy ({ rowCount }: StatementResult): number {
  return Number(rowCount)
}
