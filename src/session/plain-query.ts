import { UsageError } from '../errors/errors.js'
import { clientResult, rawStatement } from '../drizzle/queries/drizzle-runner.js'
import type { StatementResult, StatementRunner } from '../statement/statement.js'

/** Runs SQL that another library wrote, with its values. */
export async function plainQuery<Row> (runner: Pick<StatementRunner, 'run'>, text: unknown, values: unknown): Promise<StatementResult<Row>> {
  if (typeof text !== 'string') throw new UsageError('query() takes a text of SQL with $1, $2 for its values; execute() takes a Drizzle query or an sql`…` template')
  if (values !== undefined && !Array.isArray(values)) throw new UsageError('The values of query() are an array: the first is $1')
  return clientResult(await runner.run<Row>(rawStatement({ text }, values ?? [])))
}
