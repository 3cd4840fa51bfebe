import { NotStoredError } from '../../errors/errors.js'
import type { Statement, StatementResult, StatementRunner } from '../../statement/statement.js'
import type { AnyRow } from '../table/answers.js'
import { handled } from '../../runtime/promises.js'
import { rowOf } from '../write/column-values.js'
import { explained } from '../write/failed-rows.js'
import { InsertBatches } from './insert-batches.js'
import type { Batch } from './insert-batches.js'
import { storeRows } from '../write/insert-pipeline.js'
import { writtenBy } from '../write/run-write.js'
import type { GivenRows } from '../write/insert-pipeline.js'
import type { TableStatements } from '../table/table-statements.js'
import type { WriteContext } from '../write/write-context.js'

/**
 * Inserts the rows with few statements, all or none, and resolves with the stored rows in the given order.
 * Without `returning`, it resolves with their number, and PostgreSQL sends no row unless the class has a hook `afterCreate`.
 *
 * Later rows are checked while PostgreSQL works. A refused row undoes the rows before it. Checking all rows first takes 11 % more
 * processor time and a third longer (100,000 rows of `npm run bench:bulk`), and blocks the event loop meanwhile.
 */
export async function insertMany (context: WriteContext, rows: readonly unknown[], returning: boolean): Promise<AnyRow[] | number> {
  const readsRows = returning || context.hooks?.names.has('afterCreate') === true
  const made = new InsertBatches(context.table, { operation: 'createMany', returning: readsRows })
  const { created, count } = await storeRows(context, rows, {
    take: (given) => made.add(given),
    isGradual: true,
    isNumbered: true,
    send: async (session, { more, at }) => {
      const next = (): Batch | undefined => {
        while (!made.hasNext && more()) continue
        return made.next()
      }
      const first = some(next)
      const make = (): Batch | undefined => first.shift() ?? next()
      const send = async (runner: StatementRunner): Promise<Written> => {
        const written = new Written()
        const take = (result: StatementResult<AnyRow>): number => written.take(result)
        await sendAll<AnyRow>(runner, { make, take, start: 0, fewer: notStored, failed: failedIn(context.table, at) })
        return written
      }
      // PostgreSQL may store only some of the rows, and those must be undone.
      return await (rows.length > 1 ? session.transaction(send) : send(session))
    },
    stored: (written) => written
  })
  return returning ? created : count
}

/** The rows that a call has written, and their number. Statements without RETURNING give no rows. */
class Written {
  readonly created: AnyRow[] = []
  count = 0

  /** Takes the result of a statement, and tells how many rows it has written. */
  take (result: StatementResult<AnyRow>): number {
    const count = writtenBy(result)
    for (const row of result.rows) this.created.push(row)
    this.count += count
    return count
  }
}

/** How many statements are sent together, so that PostgreSQL works while a result is read. More are not faster. */
export const groupSize = 8

/** The rows of one statement, by their index among all rows. */
interface SentTogether {
  readonly start: number
  readonly count: number
}

/** How statements are made, and their failures handled. */
export interface Sending<Row> {
  readonly make: () => Batch | undefined
  /** The index of the first row among all rows. */
  readonly start: number
  /** Keeps what is needed of a result, and tells how many rows the statement has written. */
  readonly take: (result: StatementResult<Row>) => number
  /** The error for a statement that wrote fewer rows than it has. */
  readonly fewer: (statement: Statement) => Error
  /** Adds the failed row to an error of a statement. */
  readonly failed: (error: unknown, rows: SentTogether) => unknown
}

/** Makes and sends statements in groups, the next group while PostgreSQL works on the last. */
export async function sendAll<Row> (session: StatementRunner, { make, start, take, fewer, failed }: Sending<Row>): Promise<void> {
  let place = start
  let current = sendSome<Row>(session, make)
  while (current.length > 0) {
    // The statements are sent at the end of this tick; PostgreSQL works while the next ones are made.
    await undefined
    const following = sendSome<Row>(session, make)
    for (const { batch, result } of current) {
      const done = await result.catch((error: unknown) => { throw failed(error, { start: place, count: batch.rows }) })
      if (take(done) < batch.rows) throw fewer(batch.statement)
      place += batch.rows
    }
    current = following
  }
}

interface Sent<Row> {
  readonly batch: Batch
  readonly result: Promise<StatementResult<Row>>
}

function sendSome<Row> (session: StatementRunner, make: () => Batch | undefined): Array<Sent<Row>> {
  return some(make).map((batch) => ({ batch, result: handled(session.run<Row>(batch.statement)) }))
}

/** The next group of statements. */
function some (make: () => Batch | undefined): Batch[] {
  const made: Batch[] = []
  for (let batch = make(); batch !== undefined; batch = make()) {
    made.push(batch)
    if (made.length === groupSize) break
  }
  return made
}

/** Encodes the rows of a failed statement again, to find the failed row. */
export function failedIn (table: TableStatements, at: GivenRows['at']): Sending<unknown>['failed'] {
  return (error, { start, count }) => {
    const rows = Array.from({ length: count }, (_, place) => rowOf(at(start + place), table))
    return explained(error, { table, start, rows })
  }
}

function notStored ({ context }: Statement): NotStoredError {
  return new NotStoredError(undefined, { context })
}
