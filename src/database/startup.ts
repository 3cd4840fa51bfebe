import { ConnectionError, PoolTimeoutError } from '../errors/errors.js'
import { HostsError } from '../pg/hosts.js'
import { pauseBefore, pauseMillis } from '../runtime/backoff.js'
import { sqlStates } from '../errors/sqlstate-codes.js'
import type { ConnectionPool } from '../pool/connection-pool.js'
import type { Settings } from '../settings/settings.js'

/** SQLSTATEs that waiting does not resolve: wrong password, not allowed, no such database. */
const incurable = new Set([sqlStates.invalidPassword, sqlStates.invalidAuthorizationSpecification, sqlStates.invalidCatalogName])

const poolerRefused = 'a pooler refused a startup parameter: set DATABASE_PREPARED_STATEMENTS=false, or have the pooler ignore statement_timeout, lock_timeout and idle_in_transaction_session_timeout'
const untrusted = 'the certificate of the server is not trusted: name its authority in sslrootcert, or correct the host and sslmode'

const ways: ReadonlyMap<string, string> = new Map([
  [sqlStates.invalidPassword, 'the password or the user is wrong'],
  [sqlStates.invalidAuthorizationSpecification, 'the user may not connect: see pg_hba.conf on the server, and sslmode'],
  [sqlStates.invalidCatalogName, 'the database does not exist: create it first'],
  [sqlStates.tooManyConnections, 'the server has no connection left: lower DATABASE_POOL_SIZE and DATABASE_MAX_OVERFLOW, or raise its max_connections'],
  [sqlStates.cannotConnectNow, 'the server is starting or stopping: wait for it with waitForDatabaseSeconds'],
  ['ECONNREFUSED', 'nothing is listening there: start PostgreSQL, or correct the host and port'],
  ['ENOTFOUND', 'the host is unknown: correct its name'],
  ['EAI_AGAIN', 'the host is not known yet: correct its name, or the name server'],
  ['ETIMEDOUT', 'nothing answered in time: check the host, the port, and firewalls on the way'],
  ['ENOENT', 'the socket does not exist: start PostgreSQL, or correct the host and port'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', untrusted],
  ['SELF_SIGNED_CERT_IN_CHAIN', untrusted],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', untrusted],
  ['ERR_TLS_CERT_ALTNAME_INVALID', untrusted],
  [sqlStates.undefinedObject, poolerRefused],
  [sqlStates.protocolViolation, poolerRefused]
])

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
    const failure = explained(error as Error)
    if (incurable.has(codeOf(error))) throw failure
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
 * resembles PostgreSQL may lack the settings, and gets no warning.
 */
async function checkServer (pool: ConnectionPool, { logger, processes, pool: { max } }: Settings): Promise<void> {
  const connection = await pool.connect({ logger, label: 'start' })
  const { result, error } = await connection.run({
    kind: 'read',
    text: `select current_setting('max_connections', true)::int
      - coalesce(current_setting('superuser_reserved_connections', true)::int, 0) - coalesce(current_setting('reserved_connections', true)::int, 0)
      - (select count(*)::int from pg_stat_activity
        where coalesce(backend_type, 'client backend') = 'client backend' and usename is not null and datname is not null and pid <> pg_backend_pid()
        ${processes === 1 ? '' : 'and (usename <> session_user or datname <> current_database())'}) as left
      where current_setting('max_connections', true) is not null`,
    values: [],
    context: { operation: 'start' }
  })
  connection.release()
  if (error !== undefined) throw error
  const left = Number(Object(result?.rows[0]).left)
  if (processes * max > left) logger.warn({ processes, max, left }, tooManyConnections(processes, max, left))
}

function tooManyConnections (processes: number, max: number, left: number): string {
  return `${processes} × ${max} connections (DATABASE_PROCESSES × pool) may be opened, and the server has ${left} left: ` +
    'lower DATABASE_POOL_SIZE or DATABASE_MAX_OVERFLOW, correct DATABASE_PROCESSES, or raise max_connections'
}

function explained (error: Error): ConnectionError {
  const code = codeOf(error)
  const cause: unknown = Object(error).cause ?? error
  const way = cause instanceof HostsError ? cause.message : ways.get(code) ?? 'check that DATABASE_URL (connectionString) names the right host, port, user, password and database, and a suitable sslmode'
  return new ConnectionError(`The database could not be reached${code === '' ? '' : ` (${code})`}: ${way}`, { cause })
}

/** The SQLSTATE, or Node's code of a socket error. */
function codeOf (error: unknown): string {
  if (error instanceof PoolTimeoutError) return 'ETIMEDOUT'
  const { code } = Object(Object(error).cause ?? error)
  return typeof code === 'string' ? code : ''
}
