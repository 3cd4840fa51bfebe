import { NotStoredError } from '../errors/errors.js'
import type { StatementRunner } from '../session/statement.js'
import { ask, valueOf } from './answers.js'
import type { Condition } from './condition.js'
import { exists } from './select.js'
import type { TableStatements } from './statements.js'

/** A write of one row, of which nothing came back. */
export interface Fruitless<Result> {
  readonly operation: string
  readonly table: TableStatements
  /** What came instead: undefined, no rows, or their number. */
  readonly came: Result
  /** Does the same again. */
  readonly again: () => Promise<Result>
  /** Whether there is a row that should have been written. */
  readonly isThere: () => Promise<boolean>
}

/**
 * What a write of one row comes to of which nothing came back: the same where there is no such row.
 *
 * Where there is one it may have come in between, so it is written once more.
 *
 * @throws NotStoredError where the row is there and PostgreSQL still does not write it
 */
export async function whenNothingCame<Result> ({ operation, table, came, again, isThere }: Fruitless<Result>): Promise<Result> {
  if (!await isThere()) return came
  const result = await again()
  if (!isNothing(result) || !await isThere()) return result
  throw new NotStoredError('The row is there and was not changed as told: a trigger, a rule or a policy of the database prevented it', { context: { operation, table: table.name } })
}

/** Whether nothing came back. */
export function isNothing (result: unknown): boolean {
  return Array.isArray(result) ? result.length === 0 : !result
}

/** Asks whether a row matches. */
export async function isAnyThere (session: StatementRunner, table: TableStatements, where: Condition): Promise<boolean> {
  return await ask(session, () => exists(table, where), valueOf) !== undefined
}
