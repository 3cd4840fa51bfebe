import { longestMillis, longestSeconds } from '../runtime/timers.js'

const shortestSeconds = 0.001

/** PostgreSQL's own upper bound of `max_connections`. */
const mostConnections = 262_143

/** A backend with so many would take hundreds of megabytes. */
const mostNames = 10_000

interface Row {
  /** The place of the option in the options object. */
  readonly path: string
  readonly variable?: string
  /** A variable that platforms set. It gives the default if its value is valid, and is ignored otherwise. */
  readonly platformVariable?: string
  /** The effect of the setting, for the documentation and the JSON schema of the environment. */
  readonly meaning: string
}

interface UrlRow extends Row { readonly kind: 'url' }

/** Several URLs: an array as an option, one text with spaces between them in the environment. */
interface UrlsRow extends Row { readonly kind: 'urls' }

interface BooleanRow extends Row {
  readonly kind: 'boolean'
  readonly default?: boolean
  /** What an option may be instead, in the words that follow "also". */
  readonly instead?: string
}

interface ChoiceRow extends Row { readonly kind: 'choice', readonly choices: readonly string[], readonly default: string }

interface NumberRow extends Row {
  /** Seconds and milliseconds may have a fraction. */
  readonly kind: 'integer' | 'seconds' | 'millis'
  readonly min: number
  readonly max: number
  /** The meaning of 0, if 0 is allowed although it is below `min`. */
  readonly zero?: string
  readonly default?: number
}

/** One setting that is a single value: its names, its valid values, and its default. */
export type SettingRow = UrlRow | UrlsRow | BooleanRow | ChoiceRow | NumberRow

/** Every setting that is a single value. Environment variables, checks and defaults come from here; README.md of this folder says what else a new one needs. */
export const settingRows = [
  { path: 'connectionString', variable: 'DATABASE_URL', kind: 'url', meaning: 'The URL of the database.' },
  { path: 'directConnectionString', variable: 'DATABASE_DIRECT_URL', kind: 'url', meaning: 'The URL of the server itself, if the other one leads to a pooler: for migrations and LISTEN.' },
  { path: 'pool.size', variable: 'DATABASE_POOL_SIZE', kind: 'integer', min: 1, max: mostConnections, default: 20, meaning: 'Connections that stay open once they were opened.' },
  { path: 'pool.maxOverflow', variable: 'DATABASE_MAX_OVERFLOW', kind: 'integer', min: 0, max: mostConnections, default: 40, meaning: 'Connections beyond the size, closed when idle.' },
  { path: 'pool.timeoutSeconds', variable: 'DATABASE_POOL_TIMEOUT', kind: 'seconds', min: shortestSeconds, max: longestSeconds, default: 30, meaning: 'The longest wait for a connection.' },
  { path: 'pool.maxWaiting', variable: 'DATABASE_POOL_MAX_WAITING', kind: 'integer', min: 0, max: longestMillis, meaning: 'Waiters beyond this number are refused at once. Unless given, only those that would wait longer than pool.timeoutSeconds.' },
  { path: 'pool.recycleSeconds', variable: 'DATABASE_POOL_RECYCLE', kind: 'seconds', min: shortestSeconds, max: longestSeconds, zero: 'no limit', default: 3600, meaning: 'The longest life of a connection.' },
  { path: 'pool.prePing', variable: 'DATABASE_POOL_PRE_PING', kind: 'boolean', default: true, meaning: 'Proves a connection that was idle before it is handed out.' },
  { path: 'pool.prePingAfterMillis', kind: 'millis', min: 0, max: longestMillis, default: 1000, meaning: 'How long a connection was idle before it is proved.' },
  { path: 'pool.echo', variable: 'DATABASE_ECHO_POOL', kind: 'boolean', default: false, meaning: 'Logs the events of the pool.' },
  { path: 'pool.resetOnRelease', kind: 'boolean', default: false, meaning: 'Sends DISCARD ALL when a connection comes back.' },
  { path: 'pool.sharedReads', kind: 'boolean', default: false, meaning: 'Sends lookups of many requests over two connections at the same time.' },
  { path: 'echo', variable: 'DATABASE_ECHO', kind: 'boolean', default: false, meaning: 'Logs every statement with its duration.' },
  { path: 'statementTimeoutSeconds', variable: 'DATABASE_STATEMENT_TIMEOUT', kind: 'seconds', min: shortestSeconds, max: longestSeconds, zero: 'none', default: 15, meaning: 'The longest run of a statement.' },
  { path: 'lockTimeoutSeconds', variable: 'DATABASE_LOCK_TIMEOUT', kind: 'seconds', min: shortestSeconds, max: longestSeconds, zero: 'none', default: 5, meaning: 'The longest wait of a statement for a lock.' },
  { path: 'idleInTransactionTimeoutSeconds', variable: 'DATABASE_IDLE_IN_TRANSACTION_TIMEOUT', kind: 'seconds', min: shortestSeconds, max: longestSeconds, zero: 'none', default: 30, meaning: 'The longest pause inside a transaction.' },
  { path: 'slowQueryMillis', variable: 'DATABASE_SLOW_QUERY_MILLIS', kind: 'millis', min: 0, max: longestMillis, default: 500, meaning: 'Slower statements are logged as warnings.' },
  { path: 'pooler', variable: 'DATABASE_POOLER', kind: 'choice', choices: ['none', 'transaction', 'auto'], default: 'auto', meaning: 'The pooler between the server and PostgreSQL.' },
  { path: 'preparedStatements', variable: 'DATABASE_PREPARED_STATEMENTS', kind: 'boolean', instead: 'an object: { max }', meaning: 'Keeps named prepared statements on each connection; unless given, where a pooler can keep them.' },
  { path: 'preparedStatements.max', variable: 'DATABASE_PREPARED_STATEMENTS_MAX', kind: 'integer', min: 1, max: mostNames, default: 100, meaning: 'Prepared statements that a connection keeps at most.' },
  { path: 'processes', variable: 'DATABASE_PROCESSES', platformVariable: 'WEB_CONCURRENCY', kind: 'integer', min: 1, max: mostConnections, default: 1, meaning: 'Processes with a pool of this size that share the server, for the warning at the start.' },
  { path: 'drainTimeoutSeconds', kind: 'seconds', min: shortestSeconds, max: longestSeconds, zero: 'no waiting', default: 10, meaning: 'How long closing waits for work in flight.' },
  { path: 'leakWarningSeconds', kind: 'seconds', min: shortestSeconds, max: longestSeconds, zero: 'no warning', default: 30, meaning: 'A connection in use for longer is logged as a warning.' },
  { path: 'waitForDatabaseSeconds', kind: 'seconds', min: shortestSeconds, max: longestSeconds, zero: 'no waiting', default: 0, meaning: 'How long the start waits for a database that is not there yet.' },
  { path: 'degraded', kind: 'boolean', default: false, meaning: 'Starts even when the database does not answer.' },
  { path: 'replicas.connectionStrings', variable: 'DATABASE_REPLICA_URLS', kind: 'urls', meaning: 'The URLs of the replicas, with spaces between them.' },
  { path: 'replicas.maxLagMillis', kind: 'millis', min: 1, max: longestMillis, default: 1000, meaning: 'How far a replica may lag behind and still serve reads.' },
  { path: 'repository.defaultLimit', kind: 'integer', min: 1, max: longestMillis, default: 100, meaning: 'Rows in a list that asks for no limit.' },
  { path: 'repository.maxLimit', kind: 'integer', min: 1, max: longestMillis, default: 1000, meaning: 'Rows that a list may ask for at most.' },
] as const satisfies readonly SettingRow[]

type KnownRow = typeof settingRows[number]

type ValueOf<Known extends KnownRow> =
  | (Known extends { choices: ReadonlyArray<infer Choice> } ? Choice : Known['kind'] extends 'url' ? string : Known['kind'] extends 'urls' ? string | readonly string[] : Known['kind'] extends 'boolean' ? boolean : number)
  | (Known extends { default: unknown } ? never : undefined)

/** A value for each path of {@link settingRows}. */
export type SettingValues = { readonly [Known in KnownRow as Known['path']]: ValueOf<Known> }

/** A value for each environment variable of {@link settingRows}: defaults are filled in, if there are any. */
export type DatabaseEnvironment = {
  readonly [Known in KnownRow as Known extends { variable: infer Variable extends string } ? Variable : never]: ValueOf<Known>
}

/** The default of a setting. */
export function defaultOf (row: SettingRow): string | number | boolean | undefined {
  return row.kind === 'url' || row.kind === 'urls' ? undefined : row.default
}
