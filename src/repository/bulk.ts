import type { Statement, StatementResult, StatementRunner } from '../session/statement.js'
import type { AnyRow } from './answers.js'
import { handled } from '../handled.js'
import { NewRows } from './new-rows.js'
import { storeRows } from './store.js'
import type { WriteContext } from './writing.js'

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
    send: async (session, { more }) => {
      const next = (): Statement | undefined => {
        while (!made.hasNext && more()) continue
        return made.next()
      }
      const first = some(next)
      const make = (): Statement | undefined => first.shift() ?? next()
      return await (first.length <= 1 ? sendAll<AnyRow>(session, make) : session.transaction((scope) => sendAll<AnyRow>(scope, make)))
    },
    stored: (created) => ({ created })
  })
}

/** PostgreSQL has the next statement at hand while the answer to one is read; more of them win nothing. */
export const together = 8

/** Sends statements as they are made: some together, and the next ones behind them; resolves with the rows of all answers. */
export async function sendAll<Row> (session: StatementRunner, make: () => Statement | undefined): Promise<Row[]> {
  const all: Row[] = []
  let current = sendSome<Row>(session, make)
  while (current.length > 0) {
    // What was given leaves at the end of the turn, and PostgreSQL works while the next is made.
    await undefined
    const following = sendSome<Row>(session, make)
    for (const answer of current) for (const row of (await answer).rows) all.push(row)
    current = following
  }
  return all
}

function sendSome<Row> (session: StatementRunner, make: () => Statement | undefined): Array<Promise<StatementResult<Row>>> {
  return some(make).map((statement) => handled(session.run<Row>(statement)))
}

/** As many statements as travel together, where there are so many. */
function some (make: () => Statement | undefined): Statement[] {
  const made: Statement[] = []
  for (let statement = make(); statement !== undefined; statement = make()) {
    made.push(statement)
    if (made.length === together) break
  }
  return made
}
