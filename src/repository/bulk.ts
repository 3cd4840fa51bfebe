import type { Statement, StatementResult, StatementRunner } from '../session/statement.js'
import type { AnyRow } from './answers.js'
import { handled } from '../handled.js'
import { NewRows } from './new-rows.js'
import { storeRows } from './store.js'
import type { WriteContext } from './writing.js'

/**
 * Inserts the rows in as few statements as are worth it, all or none, and resolves with them as stored, in the order given.
 * Every row is checked before the first is sent.
 */
export function insertMany (context: WriteContext, rows: readonly unknown[]): Promise<AnyRow[]> {
  const made = new NewRows(context.table, 'createMany')
  return storeRows(context, rows, {
    take: (given) => made.add(given),
    send: async (session) => {
      const statements = made.finish()
      const next = (): Statement | undefined => statements.shift()
      if (statements.length <= 1) return await sendAll<AnyRow>(session, next)
      return await session.transaction((transaction) => sendAll<AnyRow>(transaction, next))
    },
    stored: (created) => ({ created })
  })
}

/** PostgreSQL has the next statement at hand while the answer to one is read; more of them win nothing. */
const together = 8

/** Sends statements as they are made: some together, and the next ones behind them; resolves with the rows of all answers. */
export async function sendAll<Row> (session: StatementRunner, make: () => Statement | undefined): Promise<Row[]> {
  const all: Row[] = []
  let current = sendSome<Row>(session, make)
  while (current.length > 0) {
    const following = sendSome<Row>(session, make)
    for (const answer of current) for (const row of (await answer).rows) all.push(row)
    current = following
  }
  return all
}

function sendSome<Row> (session: StatementRunner, make: () => Statement | undefined): Array<Promise<StatementResult<Row>>> {
  const sent: Array<Promise<StatementResult<Row>>> = []
  while (sent.length < together) {
    const statement = make()
    if (statement === undefined) break
    sent.push(handled(session.run<Row>(statement)))
  }
  return sent
}
