import { pauseBefore } from '../../runtime/backoff.js'
import type { Client } from 'pg'
import { MigrationError } from '../../errors/errors.js'
import { asDatabaseError } from '../history/as-database-error.js'
import { defaultLockTimeoutSeconds } from '../history/option-limits.js'
import { withClient, type MigrationOptions } from '../history/migration-options.js'
import { describeSession, sessionColumns, type Session } from './describe-session.js'

/**
 * All runners on one database take the same two locks, whatever their folders and tables. The first is on a connection of its own, so that no migration can
 * release it. The second is on the working connection: if a process was killed, PostgreSQL may still run its last statement, and no other runner may start
 * before that ends. Both locks end with their connections.
 */
const runnerLock = 'fastify-data-access/migrations'
const workLock = 'fastify-data-access/migrations/work'

const backoff = { firstMillis: 20, longestMillis: 250, jitter: 0 }

/** The two connections of a runner. */
export interface RunnerConnections {
  /** Runs the statements. */
  readonly work: Client
  /** Holds the first lock. It is otherwise idle, and monitors the working connection. */
  readonly watch: Client
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
    await acquire(watch, runnerLock, { deadline, lockTimeoutSeconds })
    return withClient(options, async (work) => {
      await acquire(work, workLock, { deadline, lockTimeoutSeconds })
      return fn({ work, watch })
    })
  })
}

/**
 * Polls for a lock instead of waiting in PostgreSQL. A waiting statement holds a snapshot, and CREATE INDEX CONCURRENTLY waits for every snapshot,
 * so a runner that builds an index and a runner that waits for it would wait for each other.
 */
async function acquire (client: Client, lock: string, { deadline, lockTimeoutSeconds }: { deadline: number, lockTimeoutSeconds: number }): Promise<void> {
  for (let attempts = 1; !await tryLock(client, lock); attempts++) {
    if (performance.now() >= deadline) {
      throw new MigrationError(
        `Another process has been running migrations on this database for ${lockTimeoutSeconds} seconds${await holderOf(client, lock)}: wait for it, or raise lockTimeoutSeconds`,
        'DB_MIGRATION_LOCKED'
      )
    }
    await pauseBefore(attempts, backoff)
  }
}

async function tryLock (client: Client, lock: string): Promise<boolean> {
  const { rows: [row] } = await asDatabaseError(client.query('select pg_try_advisory_lock(hashtextextended($1, 0)) as locked', [lock]))
  return row.locked
}

/** The session that holds a lock, for the message; empty if it has just ended. */
async function holderOf (client: Client, lock: string): Promise<string> {
  const { rows } = await client.query<Session>(
    `select ${sessionColumns} from pg_stat_activity join pg_locks using (pid)
     where locktype = 'advisory' and granted and pg_locks.database = (select oid from pg_database where datname = current_database())
       and classid::bigint << 32 | objid::bigint = hashtextextended($1, 0) and objsubid = 1`, [lock]
  )
  return rows.map((session) => `, ${describeSession(session)}`).join('')
}
