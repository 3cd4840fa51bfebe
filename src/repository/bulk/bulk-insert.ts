import { NotStoredError } from '../../errors/errors.js'
import type { StatementResult, StatementRunner } from '../../statement/statement.js'
import type { AnyRow } from '../table/answers.js'
import { handled } from '../../runtime/promises.js'
import { rowOf } from '../write/column-values.js'
import { explained } from '../write/failed-rows.js'
import { NewRows } from './insert-batches.js'
import type { Batch } from './insert-batches.js'
import { storeRows } from '../write/insert-pipeline.js'
import type { GivenRows } from '../write/insert-pipeline.js'
import type { TableStatements } from '../table/table-statements.js'
import type { WriteContext } from '../write/write-context.js'

/**
 * Inserts the rows in as few statements as are worth it, all or none, and resolves with them as stored, in the order given.
 *
 * Rows are checked some statements ahead of PostgreSQL, which is at work meanwhile; one that is refused undoes what was sent.
 */
export function insertMany (context: WriteContext, rows: readonly unknown[]): Promise<AnyRow[]> {
  const made = new NewRows(context.table, 'createMany')
  return storeRows(context, rows, {
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
      const send = (runner: StatementRunner): Promise<AnyRow[]> => sendAll<AnyRow>(runner, { make, start: 0, fewer: notStored, failed: failedIn(context.table, at) })
      // PostgreSQL may store some of the rows alone, and those have to be undone.
      return await (rows.length > 1 ? session.transaction(send) : send(session))
    },
    stored: (created) => ({ created })
  })
}

/** PostgreSQL has the next statement at hand while the answer to one is read; more of them win nothing. */
export const together = 8

/** Fewer rows came back than a statement has. */
export interface Fewer<Row> extends Batch {
  /** The place of its first row among all. */
  readonly start: number
  readonly came: readonly Row[]
}

/** Rows of one statement, by their places among all. */
interface SentTogether {
  readonly start: number
  readonly count: number
}

/** How statements are made and answered. */
export interface Sending<Row> {
  readonly make: () => Batch | undefined
  /** The place of the first row among all. */
  readonly start: number
  /** What is thrown where fewer rows come back than were sent. */
  readonly fewer: (fewer: Fewer<Row>) => Error
  /** Says of an error which of the rows of its statement it is about. */
  readonly failed: (error: unknown, rows: SentTogether) => unknown
}

/** Sends statements as they are made: some together, and the next ones behind them; resolves with the rows of all answers. */
export async function sendAll<Row> (session: StatementRunner, { make, start, fewer, failed }: Sending<Row>): Promise<Row[]> {
  const all: Row[] = []
  let place = start
  let current = sendSome<Row>(session, make)
  while (current.length > 0) {
    // What was given leaves at the end of the turn, and PostgreSQL works while the next is made.
    await undefined
    const following = sendSome<Row>(session, make)
    for (const { batch, answer } of current) {
      const { rows } = await answer.catch((error: unknown) => { throw failed(error, { start: place, count: batch.rows }) })
      if (rows.length < batch.rows) throw fewer({ ...batch, start: place, came: rows })
      for (const row of rows) all.push(row)
      place += batch.rows
    }
    current = following
  }
  return all
}

interface Sent<Row> {
  readonly batch: Batch
  readonly answer: Promise<StatementResult<Row>>
}

function sendSome<Row> (session: StatementRunner, make: () => Batch | undefined): Array<Sent<Row>> {
  return some(make).map((batch) => ({ batch, answer: handled(session.run<Row>(batch.statement)) }))
}

/** As many statements as travel together, where there are so many. */
function some (make: () => Batch | undefined): Batch[] {
  const made: Batch[] = []
  for (let batch = make(); batch !== undefined; batch = make()) {
    made.push(batch)
    if (made.length === together) break
  }
  return made
}

/** Looks at the rows of a statement that failed, which are prepared again for it. */
export function failedIn (table: TableStatements, at: GivenRows['at']): Sending<unknown>['failed'] {
  return (error, { start, count }) => {
    const rows = Array.from({ length: count }, (_, place) => rowOf(at(start + place), table))
    return explained(error, { table, start, rows })
  }
}

function notStored ({ statement: { context } }: Fewer<AnyRow>): NotStoredError {
  return new NotStoredError(undefined, { context })
}
