import { handled } from '../../runtime/promises.js'
import type { Statement, StatementResult, StatementRunner } from '../../statement/statement.js'

/** A row as an object. */
export type AnyRow = Record<string, unknown>

/** Makes and runs a statement, and resolves with what `read` returns. Anything that throws rejects. */
export async function ask<Row, Result> (
  session: StatementRunner, make: () => Statement, read: (result: StatementResult<Row>, statement: Statement) => Result
): Promise<Result> {
  const statement = make()
  return read(await session.run<Row>(statement), statement)
}

/** The rows, as objects. */
export function rowsOf ({ rows }: StatementResult<AnyRow>): AnyRow[] {
  return rows
}

/** The first row, if there is one. */
export function firstOf ({ rows }: StatementResult<AnyRow>): AnyRow | undefined {
  return rows[0]
}

/** The first column of the first row; undefined without a row. */
export function valueOf ({ rows }: StatementResult<unknown[]>): unknown {
  return rows[0]?.[0]
}

/** Gives rows their type: rows are read by the table's columns, from which Drizzle derives the same type. */
export function typed<Result> (rows: Promise<unknown>): Promise<Result> {
  return handled(rows as Promise<Result>)
}
