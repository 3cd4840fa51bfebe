import { CommitUnknownError, ConnectionError } from '../../errors/errors.js'
import { toDatabaseError } from '../../errors/to-database-error.js'
import { pauseBefore } from '../../runtime/backoff.js'
import { leading } from '../../statement/leading-statement.js'
import type { Caller } from '../../statement/caller.js'
import type { ConnectionSource } from '../../pool/connection-source.js'
import type { Statement } from '../../statement/statement.js'

/**
 * Identifies one run of the server. After a crash PostgreSQL may reuse a transaction id that it had not written to disk.
 * A restart changes the start time of the postmaster, a crash of a backend the reset time of its statistics.
 */
const life = "concat_ws(',', extract(epoch from pg_postmaster_start_time()), extract(epoch from pg_stat_get_bgwriter_stat_reset_time()))"

/** Identifies the cluster: standbys and copies have the same identifier. Every role may read it unless that was revoked. */
const system = '(select system_identifier from pg_control_system())'

/** The timeline: the first 8 hexadecimal digits of a WAL file name. */
const timeline = 'left(pg_walfile_name(pg_current_wal_flush_lsn()), 8)'

/**
 * Runs after BEGIN, so that the transaction's id is known before COMMIT is sent: after that it could be lost with the connection.
 * It takes no round trip of its own, and a transaction that writes has an id anyway.
 */
export const askIdentity = { ...leading(`select concat_ws(' ', pg_current_xact_id(), ${system}, ${timeline}, pg_current_wal_flush_lsn(), ${life})`), asks: true }

/** The transaction's id from the result of {@link askIdentity}. */
function idOf (identity: string): string {
  return identity.replace(/ .*/, '')
}

/**
 * The query takes a transaction id of its own: a standby refuses that, and a larger id than this was never assigned.
 * `reached` is true if the server's WAL goes as far as it did before the transaction wrote; a copy from before has less.
 *
 * If COMMIT waits for a synchronous standby and its session is terminated, the server reports the transaction as committed although
 * the standby may not have it. So a query that reads *committed* writes to the WAL: its own COMMIT waits for the standby, and so
 * for everything that was written before.
 * https://www.postgresql.org/docs/current/warm-standby.html#SYNCHRONOUS-REPLICATION-HA
 */
const question = `select status, ${system}::text as system, ${timeline} as timeline, pg_current_wal_insert_lsn() >= $2::pg_lsn as reached, ${life} as life,
  case status when 'committed' then pg_logical_emit_message(true, 'fastify-data-access', ''::text) end
  from (select case when $1::xid8 >= pg_current_xact_id() then 'aborted' else pg_xact_status($1::xid8) end as status offset 0) as fate`

/** The pauses between two queries. */
const backoff = { firstMillis: 50, longestMillis: 50, jitter: 0 }

/** How a lost COMMIT is looked up, and for how long. */
export interface CommitStatusOptions {
  readonly pool: ConnectionSource
  readonly caller: Caller
  readonly timeoutMillis: number
}

/**
 * Looks up, over another connection, whether a transaction whose COMMIT had no response was committed; undefined if that cannot be
 * determined in time. The query is repeated while the database is unreachable, the transaction's backend is still at work, the
 * address leads to a server that cannot know, or the commit waits for a standby.
 *
 * A server can know if it is a primary of the same cluster, on the transaction's timeline or a later one. A standby may lag
 * behind. A server on an earlier timeline, or with less WAL, is a copy from before. On a later timeline a standby was promoted:
 * a transaction that it lacks was not saved, and one that it reports as committed may be another one with the same id, as after a
 * crash.
 * https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
 */
export async function findCommitStatus (identity: string, options: CommitStatusOptions): Promise<CommitStatus | undefined> {
  const [id, system, timeline, position, life] = identity.split(' ')
  const statement: Statement = { kind: 'read', text: question, values: [id, position], context: { operation: 'pg_xact_status' } }
  const canKnow = (answer: StatusAnswer): boolean =>
    answer.system === system && (answer.timeline === timeline ? answer.reached : answer.timeline > String(timeline))
  const deadline = performance.now() + options.timeoutMillis
  while (performance.now() < deadline) {
    const answer = await ask({ statement, canKnow }, options, deadline)
    if (answer?.status === 'aborted') return 'aborted'
    if (answer?.status === 'committed') return answer.life === life && answer.timeline === timeline ? 'committed' : undefined
    await pauseBefore(1, backoff)
  }
  return undefined
}

/**
 * Resolves if a transaction whose COMMIT was not answered is found to be committed.
 *
 * @throws {ConnectionError} if it was not saved
 * @throws {CommitUnknownError} if neither can be determined in time
 */
export async function resolveCommit (identity: string | undefined, cause: Error, options: CommitStatusOptions): Promise<void> {
  const context = { ...toDatabaseError(cause).context, operation: 'commit', ...(identity !== undefined && { transactionId: idOf(identity) }) }
  const status = identity && await findCommitStatus(identity, options)
  if (status === 'aborted') throw new ConnectionError(undefined, { cause, context })
  if (status === undefined) throw new CommitUnknownError(undefined, { cause, context })
  options.caller.logger.warn(context, 'commit confirmed by pg_xact_status')
}

/** Whether a transaction was committed. */
export type CommitStatus = 'committed' | 'aborted'

/** A server's row about a transaction id and about itself. */
interface StatusAnswer {
  readonly status: CommitStatus | 'in progress' | null
  readonly system: string
  readonly timeline: string
  /** Whether its WAL goes as far as it did before the transaction wrote. */
  readonly reached: boolean
  readonly life: string
}

/** The query, and the test whether a server can know. */
interface Question {
  readonly statement: Statement
  readonly canKnow: (answer: StatusAnswer) => boolean
}

/** Runs the query once; undefined if no server that can know answers before the deadline. */
function ask ({ statement, canKnow }: Question, { pool, caller }: CommitStatusOptions, deadline: number): Promise<StatusAnswer | undefined> {
  return new Promise((resolve) => {
    let giveUp: () => void
    const timer = setTimeout(() => giveUp(), deadline - performance.now())
    const answered = (answer?: StatusAnswer): void => { clearTimeout(timer); resolve(answer) }
    const cancel = pool.acquire({
      caller,
      lend: (connection) => {
        giveUp = () => connection.destroy()
        // If the query was cancelled, its COMMIT would stop waiting for the standby, without an error: only our own limit applies.
        connection.leaveTransaction()
        connection.run(statement).then(({ result, lost }) => {
          const answer = result?.rows[0] as StatusAnswer | undefined
          const counts = answer !== undefined && canKnow(answer)
          // The connection to a server that cannot know is dropped: the address may lead to another server next time.
          if (counts || lost) connection.release()
          else connection.destroy()
          answered(counts ? answer : undefined)
        })
      },
      refuse: () => answered()
    })
    giveUp ??= () => cancel(new Error('No answer came in time'))
  })
}
