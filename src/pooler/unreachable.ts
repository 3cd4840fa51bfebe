/** Why the database could not be reached, and the way out. */
import { ConnectionError, PoolTimeoutError } from '../errors/errors.js'
import { codeOf } from '../pg/error-code.js'
import { HostsError } from '../pg/hosts.js'
import { withVariablesOf } from '../settings/database-name.js'
import { refusalOf } from './pooler-refusal.js'
import { sqlStates } from '../errors/sqlstate-codes.js'
import type { ErrorContext } from '../errors/errors.js'
import type { PoolerRefusal } from './pooler-refusal.js'

/** SQLSTATEs that waiting does not resolve: wrong password, not allowed, no such database. */
const incurable = new Set([sqlStates.invalidPassword, sqlStates.invalidAuthorizationSpecification, sqlStates.invalidCatalogName])

const untrusted = 'the certificate of the server is not trusted: name its authority in sslrootcert, or correct the host and sslmode'

/** Poolers refuse for many reasons with one code; each has a way out of its own. */
const waysOfPoolers: Readonly<Record<PoolerRefusal, string>> = {
  parameter: 'the pooler refused a startup parameter: set DATABASE_POOLER=auto or transaction, so that the limits travel with each transaction; with a pool of your own, give it no statement_timeout, lock_timeout or idle_in_transaction_session_timeout',
  options: 'the pooler refused the options of the URL (options=…) or of PGOPTIONS: remove them, and set them for the role or the database (ALTER ROLE … SET)',
  password: 'the pooler refused the password or the user: correct them in the URL, or in the auth_file or auth_query of the pooler',
  database: 'the pooler does not know the database: correct its name in the URL, or add it to the databases of the pooler',
  full: 'the pooler accepts no more clients: lower DATABASE_POOL_SIZE and DATABASE_MAX_OVERFLOW, or raise its max_client_conn',
  wait: 'the pooler had no server connection in time (query_wait_timeout): raise its default_pool_size, or check that it reaches PostgreSQL',
  server: 'the pooler does not reach PostgreSQL: check that PostgreSQL runs, and the host, port, user and password that the pooler uses',
  disabled: 'the pooler has disabled or paused the database: enable or resume it there'
}

/** The pooler's refusals that waiting does not resolve. */
const incurableRefusals: ReadonlySet<PoolerRefusal | undefined> = new Set<PoolerRefusal | undefined>(['parameter', 'options', 'password', 'database'])

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
  [sqlStates.undefinedObject, 'the server does not know a startup parameter: set DATABASE_POOLER=transaction, or correct the parameters of the URL'],
  [sqlStates.protocolViolation, 'a pooler refused the connection: its log says why']
])

/** Whether waiting does not help. */
export function isIncurable (error: unknown): boolean {
  return incurable.has(failureOf(error)) || incurableRefusals.has(refusalOf(causeOf(error)))
}

/** An error with the way out for the database with this name, and without any part of the URL. */
export function explain (error: unknown, name: string, context?: ErrorContext): ConnectionError {
  const code = failureOf(error)
  const cause = causeOf(error)
  return new ConnectionError(`The database could not be reached${code === '' ? '' : ` (${code})`}: ${withVariablesOf(name, wayOut(code, cause))}`, { cause, context })
}

function wayOut (code: string, cause: unknown): string {
  if (cause instanceof HostsError) return cause.message
  const refusal = refusalOf(cause)
  return (refusal === undefined ? ways.get(code) : waysOfPoolers[refusal]) ??
    'check that DATABASE_URL (connectionString) names the right host, port, user, password and database, and a suitable sslmode'
}

function causeOf (error: unknown): unknown {
  return Object(error).cause ?? error
}

/** The code of the failure behind an error. */
function failureOf (error: unknown): string {
  return error instanceof PoolTimeoutError ? 'ETIMEDOUT' : codeOf(causeOf(error)) ?? ''
}
