import { explain, isIncurable } from '../pooler/unreachable.js'
import { pauseBefore, pauseMillis } from '../runtime/backoff.js'
import { withVariablesOf } from '../settings/database-name.js'
import type { ConnectionPool } from '../pool/connection-pool.js'
import type { Settings } from '../settings/settings.js'

const backoff = { firstMillis: 100, longestMillis: 2000, jitter: 0 }

/**
 * Connects to the server, as often as the settings allow, and warns if the pools of all processes are larger than the connections that are left.
 * A failure that waiting does not resolve is an error even with `degraded`, and so is a pool that was ended meanwhile.
 *
 * @throws {ConnectionError} with the fix, and without any part of the URL
 */
export async function reach (pool: ConnectionPool, settings: Settings): Promise<void> {
  const deadline = performance.now() + settings.waitForDatabaseSeconds * 1000
  for (let attempt = 1; !await isDone(pool, settings, deadline - pauseMillis(backoff, attempt)); attempt++) {
    await pauseBefore(attempt, backoff)
  }
}

/** Whether the wait is over; an attempt that begins after `lastTime` is the last one. */
async function isDone (pool: ConnectionPool, settings: Settings, lastTime: number): Promise<boolean> {
  try {
    await checkServer(pool, settings)
    return true
  } catch (error) {
    const failure = explain(error, settings.name)
    if (isIncurable(error)) throw failure
    if (pool.hasEnded) throw error
    if (performance.now() <= lastTime) {
      settings.logger.warn({ err: failure }, 'the database does not answer yet')
      return false
    }
    if (!settings.degraded) throw failure
    settings.logger.error({ err: failure }, 'started without the database: requests that need it are refused until it is there')
    return true
  }
}

/**
 * PostgreSQL hides `backend_type` of other users' connections from ordinary users. With several processes, connections of the
 * same user to the same database may be those of the other processes, which `processes` counts already. A server that only
 * resembles PostgreSQL may lack the settings, and gets no warning. Where one process is expected, a connection of the same user and
 * application to the same database tells of a second one.
 */
async function checkServer (pool: ConnectionPool, { name, logger, processes, pool: { max } }: Settings): Promise<void> {
  const connection = await pool.connect({ logger, label: 'start' })
  const { result, error } = await connection.run({
    kind: 'read',
    text: `select current_setting('max_connections', true)::int
      - coalesce(current_setting('superuser_reserved_connections', true)::int, 0) - coalesce(current_setting('reserved_connections', true)::int, 0)
      - count(*) filter (where ${processes === 1 ? 'true' : 'not is_own'})::int as left,
        count(*) filter (where is_own and name = current_setting('application_name'))::int as siblings
      from (select usename = session_user and datname = current_database() as is_own, application_name as name from pg_stat_activity
        where coalesce(backend_type, 'client backend') = 'client backend' and usename is not null and datname is not null and pid <> pg_backend_pid()) as others
      having current_setting('max_connections', true) is not null`,
    values: [],
    context: { operation: 'start' }
  })
  connection.release()
  if (error !== undefined) throw error
  const { left, siblings } = Object(result?.rows[0]) as { readonly left: unknown, readonly siblings: unknown }
  // Behind a pooler the pools' connections are the pooler's, not the server's.
  if (pool.pooler.isThere) return
  const warn = (count: number, free: number, warning: typeof tooManyConnections): void => {
    if (count * max > free) logger.warn({ processes: count, max, left: free }, withVariablesOf(name, warning(count, max, free)))
  }
  if (processes === 1 && Number(siblings) > 0 && Number(left) >= max) warn(2, Number(left) + Number(siblings), uncountedProcess)
  else warn(processes, Number(left), tooManyConnections)
}

/** A newcomer has not heard of DATABASE_PROCESSES, and PostgreSQL's default of 100 connections is enough for one pool of 60. */
function uncountedProcess (processes: number, max: number, left: number): string {
  return `another process of this program seems to be connected, and ${processes} × ${max} connections are more than the ${left} that the server has for them: ` +
    'lower DATABASE_POOL_SIZE or DATABASE_MAX_OVERFLOW, and set DATABASE_PROCESSES to the number of processes'
}

function tooManyConnections (processes: number, max: number, left: number): string {
  return `${processes} × ${max} connections (DATABASE_PROCESSES × pool) may be opened, and the server has ${left} left: ` +
    'lower DATABASE_POOL_SIZE or DATABASE_MAX_OVERFLOW, correct DATABASE_PROCESSES, or raise max_connections'
}
