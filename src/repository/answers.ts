import type { Statement, StatementResult, StatementRunner } from '../session/statement.js'

/** A row as an object. */
export type AnyRow = Record<string, unknown>

/** Runs the statement that is made, and resolves with what is read of its answer; what is thrown on the way rejects. */
export async function ask<Row, Result> (session: StatementRunner, make: () => Statement, read: (answer: StatementResult<Row>) => Result): Promise<Result> {
  return read(await session.run<Row>(make()))
}

/** The rows, as objects. */
export function rowsOf ({ rows }: StatementResult<AnyRow>): AnyRow[] {
  return rows
}

/** The first row, if there is one. */
export function firstOf ({ rows }: StatementResult<AnyRow>): AnyRow | undefined {
  return rows[0]
}

/** The one value that was asked for; undefined without a row. */
export function valueOf ({ rows }: StatementResult<unknown[]>): unknown {
  return rows[0]?.[0]
}

/** The number of rows that were written. */
export function writtenBy ({ rowCount }: StatementResult): number {
  return Number(rowCount)
}
