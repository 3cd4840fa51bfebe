import { CommitUnknownError, ConnectionError } from '../errors/errors.js'
import { toDatabaseError } from '../errors/to-database-error.js'
import { pauseBefore } from '../runtime/backoff.js'
import type { Caller } from '../statement/caller.js'
import type { ConnectionSource } from '../pool/connection-source.js'
import type { Statement } from '../statement/statement.js'

/**
 * Which life of the server this is. After a crash PostgreSQL gives ids anew that it had not written down before: the same id is
 * another transaction's then. A restart shows in the start of the postmaster, a crash under it in the reset of its statistics.
 */
const life = "concat_ws(',', extract(epoch from pg_postmaster_start_time()), extract(epoch from pg_stat_get_bgwriter_stat_reset_time()))"

/** Which cluster this is: standbys and copies have the same identifier. Everybody may ask unless somebody has revoked that. */
const system = '(select system_identifier from pg_control_system())'

/** The timeline, as the names of the log's files begin with it: 8 hexadecimal digits. */
const timeline = 'left(pg_walfile_name(pg_current_wal_flush_lsn()), 8)'

/**
 * Asked behind BEGIN, so that the answer is known before COMMIT is sent: what is lost with the connection would be lost together
 * with an id that was asked for only then. It takes no round trip of its own; a transaction that writes has an id anyway.
 */
export const askIdentity = `select concat_ws(' ', pg_current_xact_id(), ${system}, ${timeline}, pg_current_wal_flush_lsn(), ${life})`

/** The transaction's id out of the answer to {@link askIdentity}. */
function idOf (identity: string): string {
  return identity.replace(/ .*/, '')
}

/**
 * To be told of an id, a server gives one of its own: a standby refuses that, and an id from that one on was given to nobody.
 * It has come as far as the log was written before the transaction wrote, unless it is a copy from before.
 *
 * Where COMMIT waits for a synchronous standby and its session is ended meanwhile, the server calls the transaction committed
 * although the standby may not have it. So whoever says *committed* writes to the log behind it: the question is answered when
 * its own COMMIT is, and that has waited for all that was written before.
 * https://www.postgresql.org/docs/current/warm-standby.html#SYNCHRONOUS-REPLICATION-HA
 */
const question = `select status, ${system}::text as system, ${timeline} as timeline, pg_current_wal_insert_lsn() >= $2::pg_lsn as reached, ${life} as life,
  case status when 'committed' then pg_logical_emit_message(true, 'fastify-data-access', ''::text) end
  from (select case when $1::xid8 >= pg_current_xact_id() then 'aborted' else pg_xact_status($1::xid8) end as status offset 0) as fate`

/** The pauses between two queries. */
const backoff = { firstMillis: 50, longestMillis: 50, jitter: 0 }

/** Who wants to know, and for how long. */
export interface CommitStatusOptions {
  readonly pool: ConnectionSource
  readonly caller: Caller
  readonly timeoutMillis: number
}

/**
 * Finds out over another connection what became of a transaction whose COMMIT was not answered; undefined when that cannot be
 * told within the time. The question is repeated while the database is away, or its backend is still at work, or the address
 * leads to a server that cannot know, or what is committed waits for a standby.
 *
 * Who can know: a server that is no standby, of the same cluster, on the timeline of the transaction or a later one. A standby
 * may not have come so far yet, and a server on an earlier timeline, or with less of the log, is a copy from before. On a later
 * timeline a standby has taken over: what it does not have it will never get, and so it was not saved. What it calls committed
 * may be another transaction with an id that was given anew, as after a crash.
 * https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
 */
export async function findCommitStatus (identity: string, options: CommitStatusOptions): Promise<CommitStatus | undefined> {
  const [id, system, timeline, position, life] = identity.split(' ')
  const statement: Statement = { kind: 'read', text: question, values: [id, position], context: { operation: 'pg_xact_status' } }
  const isWitness = (answer: Answer): boolean =>
    answer.system === system && (answer.timeline === timeline ? answer.reached : answer.timeline > String(timeline))
  const deadline = performance.now() + options.timeoutMillis
  while (performance.now() < deadline) {
    const answer = await ask({ statement, isWitness }, options, deadline)
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
 * @throws {CommitUnknownError} if neither can be found out in time
 */
export async function resolveCommit (identity: string | undefined, cause: Error, options: CommitStatusOptions): Promise<void> {
  const context = { ...toDatabaseError(cause).context, operation: 'commit', ...(identity !== undefined && { transactionId: idOf(identity) }) }
  const status = identity && await findCommitStatus(identity, options)
  if (status === 'aborted') throw new ConnectionError(undefined, { cause, context })
  if (status === undefined) throw new CommitUnknownError(undefined, { cause, context })
  options.caller.logger.warn(context, 'commit confirmed by pg_xact_status')
}

/** What became of a transaction. */
export type CommitStatus = 'committed' | 'aborted'

/** What a server says of an id and of itself. */
interface Answer {
  readonly status: CommitStatus | 'in progress' | null
  readonly system: string
  readonly timeline: string
  /** Whether its log goes as far as the transaction's server had written it before. */
  readonly reached: boolean
  readonly life: string
}

/** A question, and whose answer counts. */
interface Question {
  readonly statement: Statement
  readonly isWitness: (answer: Answer) => boolean
}

/** One question; undefined without the answer of one who can know before the deadline. */
function ask ({ statement, isWitness }: Question, { pool, caller }: CommitStatusOptions, deadline: number): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    let giveUp: () => void
    const timer = setTimeout(() => giveUp(), deadline - performance.now())
    const answered = (answer?: Answer): void => { clearTimeout(timer); resolve(answer) }
    const cancel = pool.acquire({
      caller,
      lend: (connection) => {
        giveUp = () => connection.destroy()
        // Cancelled, its COMMIT would no longer wait for the standby, and say so to nobody: it has our limit instead.
        connection.leaveTransaction()
        connection.run(statement).then(({ result, lost }) => {
          const answer = result?.rows[0] as Answer | undefined
          const counts = answer !== undefined && isWitness(answer)
          // The address may lead to another server next time.
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
