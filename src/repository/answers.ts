import type { Statement, StatementRunner } from '../session/statement.js'

/** The rows that a statement answers with, as objects. */
export async function rowsOf (session: StatementRunner, statement: Statement): Promise<Array<Record<string, unknown>>> {
  const { rows } = await session.run<Record<string, unknown>>(statement)
  return rows
}

/** The one value that a statement answers with; undefined without a row. */
export async function valueOf (session: StatementRunner, statement: Statement): Promise<unknown> {
  const { rows } = await session.run<unknown[]>(statement)
  return rows[0]?.[0]
}

/** The number of rows that a statement wrote. */
export async function writtenBy (session: StatementRunner, statement: Statement): Promise<number> {
  const { rowCount } = await session.run(statement)
  return Number(rowCount)
}
