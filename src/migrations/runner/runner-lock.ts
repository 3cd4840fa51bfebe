import { pauseBefore } from '../../runtime/backoff.js'
import type { Client } from 'pg'
import { MigrationError } from '../../errors/errors.js'
import { asDatabaseError } from '../history/as-database-error.js'
import { defaultLockTimeoutSeconds } from '../history/option-limits.js'
import { ignore } from '../../runtime/promises.js'
import { processOf } from '../../pg/client.js'
import { withoutLimits } from '../history/in-transaction.js'
import { withClient } from '../history/migration-client.js'
import { describeSession, sessionColumns, type Session } from './describe-session.js'
import type { MigrationOptions } from '../history/migration-options.js'

/**
 * All runners on one database take the same two locks, whatever their folders and tables.
 *
 * The first belongs to a transaction on a connection of its own, so that no migration can release it, and a pooler cannot give the connection to another
 * client. The second belongs to the working connection: if a process was killed, PostgreSQL may still run its last statement, and no other runner may start
 * before that ends. It is a lock of the session, and behind a pooler one of each file's transaction. Runners of earlier versions take both as locks of
 * sessions: PostgreSQL lets the two kinds exclude each other.
 */
const runnerLock = "hashtextextended('fastify-data-access/migrations', 0)"
const workLock = "hashtextextended('fastify-data-access/migrations/work', 0)"

/** Takes the second lock for a transaction. Another runner may have it until the end of its last statement. */
export const lockWork = `select pg_advisory_xact_lock(${workLock})`

/**
 * Begins the transaction that holds the first lock. CREATE INDEX CONCURRENTLY waits for every snapshot: one that reads committed rows has none between its
 * statements. They must be sent without parameters, because PostgreSQL keeps the portal of a statement with parameters, and its snapshot.
 */
const tryRunnerLock = `begin isolation level read committed read only; ${withoutLimits}; select pg_try_advisory_xact_lock(${runnerLock}) as locked`

const backoff = { firstMillis: 20, longestMillis: 250, jitter: 0 }

/** The two connections of a runner. */
export interface RunnerConnections {
  /** Runs the statements. */
  readonly work: Client
  /** Holds the first lock, in a transaction. It is otherwise idle, and monitors the working connection. */
  readonly watch: Client
  /** Whether the working connection has a session of its own. Behind a pooler, each transaction may run in another session. */
  readonly isDirect: boolean
}

/**
 * Runs `fn` while no other runner works on the same database.
 *
 * @throws {MigrationError} `DB_MIGRATION_LOCKED` if another runner takes longer than `lockTimeoutSeconds`
 */
export function withMigrationLock<Result> (options: MigrationOptions, fn: (connections: RunnerConnections) => Promise<Result>): Promise<Result> {
  const { lockTimeoutSeconds = defaultLockTimeoutSeconds } = options
  const deadline = performance.now() + lockTimeoutSeconds * 1000
  return withClient(options, async (watch) => {
    await acquire(watch, { lock: runnerLock, tryLock: beginWithLock, deadline, lockTimeoutSeconds })
    const result = withClient(options, async (work) => {
      const isDirect = await hasSession(work)
      await acquire(work, { lock: workLock, tryLock: bothLocks(watch, isDirect ? lockSession : isWorkFree), deadline, lockTimeoutSeconds })
      return fn({ work, watch, isDirect })
    })
    // A pooler ends the connection of a client that leaves in the middle of a transaction.
    return result.finally(() => watch.query('rollback').catch(ignore))
  })
}

interface Acquisition {
  readonly lock: string
  readonly tryLock: (client: Client) => Promise<boolean>
  readonly deadline: number
  readonly lockTimeoutSeconds: number
}

/**
 * Polls for a lock instead of waiting in PostgreSQL. A waiting statement holds a snapshot, and CREATE INDEX CONCURRENTLY waits for every snapshot,
 * so a runner that builds an index and a runner that waits for it would wait for each other.
 */
async function acquire (client: Client, { lock, tryLock, deadline, lockTimeoutSeconds }: Acquisition): Promise<void> {
  for (let attempts = 1; !await asDatabaseError(tryLock(client)); attempts++) {
    if (performance.now() >= deadline) {
      throw new MigrationError(
        `Another process has been running migrations on this database for ${lockTimeoutSeconds} seconds${await holderOf(client, lock)}: wait for it, or raise lockTimeoutSeconds`,
        'DB_MIGRATION_LOCKED'
      )
    }
    await pauseBefore(attempts, backoff)
  }
}

/**
 * Takes the second lock while this runner has the first, which it has already. A CREATE INDEX CONCURRENTLY of a killed process may have met the snapshot
 * with which the first lock was taken. Then it waits for the end of that transaction, while this runner waits for it: so the first lock is given back, and
 * taken again.
 */
function bothLocks (watch: Client, tryWork: (work: Client) => Promise<boolean>): (work: Client) => Promise<boolean> {
  let hasFirst = true
  return async (work) => {
    hasFirst ||= await beginWithLock(watch)
    if (!hasFirst || await tryWork(work)) return hasFirst
    hasFirst = false
    await watch.query('rollback')
    return false
  }
}

async function beginWithLock (client: Client): Promise<boolean> {
  const isLocked = await answerTo(client, tryRunnerLock)
  if (!isLocked) await client.query('rollback')
  return isLocked
}

async function lockSession (client: Client): Promise<boolean> {
  return await answerTo(client, `select pg_try_advisory_lock(${workLock}) as locked`)
}

/** Whether no session and no transaction holds the second lock. */
async function isWorkFree (client: Client): Promise<boolean> {
  return await answerTo(client, `begin; select pg_try_advisory_xact_lock(${workLock}) as locked; rollback`)
}

/** Whether the process that the server reported at the start runs the statements. A pooler reports a number of its own, for cancel requests. */
async function hasSession (client: Client): Promise<boolean> {
  const { rows: [row] } = await asDatabaseError(client.query('select pg_backend_pid() as pid'))
  return row.pid === processOf(client)
}

async function answerTo (client: Client, text: string): Promise<boolean> {
  const results = [await client.query(text)].flat()
  return results.some(({ rows }) => rows[0]?.locked === true)
}

/** The session that holds a lock, for the message; empty if it has just ended. */
async function holderOf (client: Client, lock: string): Promise<string> {
  const { rows } = await client.query<Session>(
    `select ${sessionColumns} from pg_stat_activity join pg_locks using (pid)
     where locktype = 'advisory' and granted and pg_locks.database = (select oid from pg_database where datname = current_database())
       and classid::bigint << 32 | objid::bigint = ${lock} and objsubid = 1`
  )
  return rows.map((session) => `, ${describeSession(session)}`).join('')
}
