import { setTimeout as wait } from 'node:timers/promises'
import type { Borrower } from '../connection/waiters.js'
import type { Lender } from '../pool.js'
import type { Statement } from './statement.js'

/**
 * Which life of the server this is. After a crash PostgreSQL gives ids anew that it had not written down before: the same id is
 * another transaction's then. A restart shows in the start of the postmaster, a crash under it in the reset of its statistics.
 */
const life = "concat_ws(',', extract(epoch from pg_postmaster_start_time()), extract(epoch from pg_stat_get_bgwriter_stat_reset_time()))"

/**
 * Asked behind BEGIN, so that the answer is known before COMMIT is sent: what is lost with the connection would be lost together
 * with an id that was asked for only then. It takes no round trip of its own; a transaction that writes has an id anyway.
 */
export const askIdentity = `select concat_ws(' ', pg_current_xact_id(), ${life})`

/** The transaction's id out of the answer to {@link askIdentity}. */
export function idOf (identity: string): string {
  return identity.replace(/ .*/, '')
}

/** How long to wait before the question is asked again, in milliseconds. */
const pauseMillis = 50

/** Who wants to know, and for how long. */
export interface FateOptions {
  readonly pool: Lender
  readonly borrower: Borrower
  readonly timeoutMillis: number
}

/**
 * Finds out over another connection what became of a transaction whose COMMIT was not answered; undefined when that cannot be
 * told within the time. The question is repeated while the database is away, or its backend is still at work.
 * https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
 */
export async function fateOf (identity: string, options: FateOptions): Promise<'committed' | 'aborted' | undefined> {
  const question: Statement = { kind: 'read', text: `select pg_xact_status($1::xid8) as status, ${life} as life`, values: [idOf(identity)], context: { operation: 'pg_xact_status' } }
  const deadline = performance.now() + options.timeoutMillis
  while (performance.now() < deadline) {
    const { status, life } = await ask(question, options, deadline)
    if (status === 'aborted') return status
    if (status === 'committed') return identity === `${idOf(identity)} ${life}` ? status : undefined
    await wait(pauseMillis)
  }
  return undefined
}

/** What the server says of an id: one that it has not given yet, it has given to nobody who committed. */
interface Answer {
  readonly status?: string
  readonly life?: string
}

/** SQLSTATE of an id that lies in the future. */
const notYetGiven = '22023'

/** One question; empty without an answer before the deadline. */
function ask (question: Statement, { pool, borrower }: FateOptions, deadline: number): Promise<Answer> {
  return new Promise((resolve) => {
    let giveUp: () => void
    const timer = setTimeout(() => giveUp(), deadline - performance.now())
    const answer = (given: Answer): void => { clearTimeout(timer); resolve(given) }
    const cancel = pool.acquire({
      borrower,
      lend: (connection) => {
        giveUp = () => connection.destroy()
        connection.run(question).then(({ result, error }) => {
          connection.release()
          answer(Object(error).code === notYetGiven ? { status: 'aborted' } : Object(result?.rows[0]))
        })
      },
      refuse: () => answer({})
    })
    giveUp ??= () => cancel(new Error('No answer came in time'))
  })
}
