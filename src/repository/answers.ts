import type { StatementRunner } from '../session/statement.js'
import type { Call } from './statements.js'

/** The rows that a statement answers with, as objects. */
export async function rowsOf (session: StatementRunner, { statement, toRow }: Call): Promise<Array<Record<string, unknown>>> {
  const { rows } = await session.run<unknown[]>(statement)
  return rows.map(toRow)
}

/** The one value that a statement answers with; undefined without a row. */
export async function valueOf (session: StatementRunner, { statement }: Call): Promise<unknown> {
  const { rows } = await session.run<unknown[]>(statement)
  return rows[0]?.[0]
}

/** The number of rows that a statement wrote. */
export async function writtenBy (session: StatementRunner, { statement }: Call): Promise<number> {
  const { rowCount } = await session.run(statement)
  return Number(rowCount)
}
