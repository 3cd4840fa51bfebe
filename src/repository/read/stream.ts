import { ValidationError } from '../../errors/errors.js'
import type { AnyRow } from '../table/answers.js'
import type { Condition } from '../filter/condition.js'
import { knownOptions } from './parse-options.js'
import { isCount } from '../../runtime/option-checks.js'
import { select } from './select.js'
import type { RowSource, StatementRunner } from '../../statement/statement.js'
import type { TableStatements } from '../table/table-statements.js'

/** The default batch size, in rows. */
const defaultBatchSize = 500

/** The largest batch size, in rows. */
const largestBatchSize = 10_000

/**
 * Reads rows one by one, fetched in batches, all from one snapshot.
 *
 * @throws ValidationError at once for invalid options.
 */
export function stream (
  session: StatementRunner, table: TableStatements, { where, options }: { where: Condition, options: unknown }
): AsyncGenerator<AnyRow, void, undefined> {
  const { batchSize = defaultBatchSize } = knownOptions({ options, kind: 'stream' })
  if (!isCount(batchSize) || batchSize < 1 || batchSize > largestBatchSize) {
    throw new ValidationError(`"batchSize" is a whole number from 1 to ${largestBatchSize}`)
  }
  return rowsFrom(session.stream<AnyRow>(select(table, { operation: 'stream', where, options, kind: 'stream' }), batchSize))
}

async function * rowsFrom (source: RowSource<AnyRow>): AsyncGenerator<AnyRow, void, undefined> {
  try {
    for (;;) {
      const rows = await source.fetch()
      if (rows.length === 0) return
      for (const row of rows) yield row
    }
  } finally {
    await source.close()
  }
}
