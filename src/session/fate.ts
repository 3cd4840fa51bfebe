import { setTimeout as wait } from 'node:timers/promises'
import type { Borrower } from '../connection/waiters.js'
import type { ConnectionPool } from '../pool.js'
import type { Statement } from './statement.js'

/**
 * Asked behind BEGIN, so that the id is known before COMMIT is sent: the answer that is lost with the connection would be lost
 * together with an id that was asked for only then. It takes no round trip of its own; a transaction that writes has an id anyway.
 */
export const askId = 'select pg_current_xact_id()'

/** How long to wait before the question is asked again, in milliseconds. */
const pauseMillis = 50

/** Who wants to know, and for how long. */
export interface FateOptions {
  readonly pool: ConnectionPool
  readonly borrower: Borrower
  readonly timeoutMillis: number
}

/**
 * Finds out over another connection what became of a transaction whose COMMIT was not answered; undefined when that cannot be
 * told within the time. The question is repeated while the database is away, or its backend is still at work.
 * https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
 */
export async function fateOf (transactionId: string, options: FateOptions): Promise<'committed' | 'aborted' | undefined> {
  const deadline = performance.now() + options.timeoutMillis
  const question: Statement = { kind: 'read', text: 'select pg_xact_status($1::xid8) as status', values: [transactionId], context: { operation: 'pg_xact_status' } }
  for (let left = options.timeoutMillis; left > 0; left = deadline - performance.now()) {
    const status = await ask(question, { ...options, timeoutMillis: left })
    if (status === 'committed' || status === 'aborted') return status
    await wait(pauseMillis)
  }
  return undefined
}

/** One question, within the time; undefined without an answer. */
function ask (question: Statement, { pool, borrower, timeoutMillis }: FateOptions): Promise<unknown> {
  return new Promise((resolve) => {
    let giveUp: () => void
    const timer = setTimeout(() => giveUp(), timeoutMillis)
    const answer = (status: unknown): void => { clearTimeout(timer); resolve(status) }
    const cancel = pool.acquire({
      borrower,
      lend: (connection) => {
        giveUp = () => connection.destroy()
        connection.run(question).then(({ result }) => {
          connection.release()
          answer(Object(result?.rows[0]).status)
        })
      },
      refuse: () => answer(undefined)
    })
    giveUp ??= () => cancel(new Error('No answer came in time'))
  })
}
