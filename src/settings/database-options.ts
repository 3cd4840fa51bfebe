import type { Logger as QueryLogger } from 'drizzle-orm'
import type { Pool } from 'pg'
import type { Logger } from '../runtime/logger.js'

/** The number of connections, their lifetime, and how long a query waits for one. */
export interface PoolOptions {
  /**
   * Connections that stay open once opened: 1 to 262143. `DATABASE_POOL_SIZE`.
   * @defaultValue `20`
   */
  size?: number | undefined
  /**
   * Connections beyond {@link PoolOptions.size} under load, closed when idle: 0 to 262143. `DATABASE_MAX_OVERFLOW`.
   * @defaultValue `40`
   */
  maxOverflow?: number | undefined
  /**
   * The longest wait for a connection in seconds, and the longest time that opening one may take: 0.001 to 2147483.647. `DATABASE_POOL_TIMEOUT`.
   * @defaultValue `30`
   */
  timeoutSeconds?: number | undefined
  /**
   * The most callers that may wait for a connection at the same time; the next one is refused at once. 0: none may wait. `DATABASE_POOL_MAX_WAITING`.
   * With or without it, a caller is refused at once if it would probably wait for longer than {@link PoolOptions.timeoutSeconds}.
   * @defaultValue no number
   */
  maxWaiting?: number | undefined
  /**
   * The longest life of a connection in seconds, closed once it is not in use: 0.001 to 2147483.647, or 0 for no limit. `DATABASE_POOL_RECYCLE`.
   * @defaultValue `3600`
   */
  recycleSeconds?: number | undefined
  /**
   * Checks a connection that was idle before its checkout, and replaces it if it was lost. `DATABASE_POOL_PRE_PING`.
   * @defaultValue `true`
   */
  prePing?: boolean | undefined
  /**
   * The idle time in milliseconds after which a connection is checked: 0 (always) to 2147483647.
   * @defaultValue `1000`
   */
  prePingAfterMillis?: number | undefined
  /**
   * Logs the events of the pool at level `info`. `DATABASE_ECHO_POOL`.
   * @defaultValue `false`
   */
  echo?: boolean | undefined
  /**
   * Sends DISCARD ALL when a connection is released, so that nothing of its session remains for its next use. Costs a round trip and the prepared statements.
   * @defaultValue `false`
   */
  resetOnRelease?: boolean | undefined
  /**
   * Sends lookups of many requests over two connections of the pool at the same time: `get`, `getOrThrow`, `getBy` and `exists` outside a
   * transaction, of statements that were measured to be quick. Under load they save a third of this process's time for such a request, and half of PostgreSQL's.
   * A statement that is suddenly slow holds up the lookups behind it for 5 to 12 milliseconds. A lookup whose caller has left is not
   * cancelled. The option has no effect behind a pooler, in a context, and on replicas.
   *
   * @defaultValue `false`
   * @example
   * ```ts
   * await openDatabase({ connectionString, pool: { sharedReads: true } })
   * ```
   */
  sharedReads?: boolean | undefined
}

/** The replicas of the database, which serve the reads that ask for it: see `reads` of the transaction options. */
export interface ReplicaOptions {
  /** The URL of each replica, as `connectionString`; each leads to one server. `DATABASE_REPLICA_URLS`, with spaces between them. Never printed. */
  connectionStrings?: readonly string[] | undefined
  /**
   * How old the rows of a replica may be, in milliseconds: 1 to 2147483647. A replica that lags further behind serves no reads until it
   * has caught up.
   * @defaultValue `1000`
   */
  maxLagMillis?: number | undefined
  /** The pool of each replica, where it differs from the primary's `pool`. */
  pool?: PoolOptions | undefined
}

/** The limits on the rows of a list. */
export interface RepositoryOptions {
  /**
   * Rows in a list without a limit of its own: 1 to `maxLimit`.
   * @defaultValue `100`, or `maxLimit` if that is less
   */
  defaultLimit?: number | undefined
  /**
   * The most rows that a list may request: 1 to 2147483647.
   * @defaultValue `1000`
   */
  maxLimit?: number | undefined
}

/** How many prepared statements a connection keeps. */
export interface PreparedStatementOptions {
  /**
   * The most prepared statements of one connection: 1 to 10000. Beyond it, the one that was not used for longest makes room, and is
   * parsed and planned again when it is used. Each takes about 20 KB of memory of its backend. `DATABASE_PREPARED_STATEMENTS_MAX`.
   *
   * @defaultValue `100`
   * @example
   * ```ts
   * await openDatabase({ connectionString, preparedStatements: { max: 400 } })
   * ```
   */
  max?: number | undefined
}

/** The options of Drizzle's own `drizzle()`, besides `schema` and `casing`. Its `cache` is refused, because it ignores transactions. */
export interface DrizzleOptions {
  /**
   * Logs the text and the values of each Drizzle query (`database.drizzle`, `session.drizzle`, `execute`), as in `drizzle({ logger })`; `true` prints them.
   * Repositories, BEGIN and COMMIT are not included: `echo` logs every statement, without values.
   * @defaultValue `false`
   */
  logger?: boolean | QueryLogger | undefined
}

/**
 * The settings of a database. An option wins over its environment variable.
 *
 * Durations are seconds or milliseconds, as their names show, and may have a fraction.
 */
export interface DatabaseOptions {
  /**
   * The name of this database beside others, in camelCase: its variables begin with it, `BILLING_DATABASE_URL` for `'billing'`. In
   * Fastify, `request.databases.billing` is its session.
   * @defaultValue none: the database of `fastify.db` and `request.db`
   */
  name?: string | undefined
  /**
   * The URL of the database: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full`. `DATABASE_URL`. Required
   * unless {@link DatabaseOptions.pg} is given.
   *
   * Special characters in a part are percent-encoded. `sslmode` has libpq's meaning, a Python driver suffix
   * (`postgresql+asyncpg://`) is accepted. Never printed.
   */
  connectionString?: string | undefined
  /**
   * The URL of the server itself, if the other one leads to a pooler: migrations and `listen()` connect there. `DATABASE_DIRECT_URL`,
   * which belongs to `DATABASE_URL`: it is ignored beside a `connectionString` that differs from that, and beside {@link DatabaseOptions.pg}. Never printed.
   */
  directConnectionString?: string | undefined
  pool?: PoolOptions | undefined
  /**
   * Replicas that serve reads. Without URLs there are none, and every read goes to the primary.
   * @example
   * ```ts
   * replicas: { connectionStrings: ['postgresql://ada@replica-1/shop'], maxLagMillis: 500 }, transaction: { reads: 'replica' }
   * ```
   */
  replicas?: ReplicaOptions | undefined
  /**
   * Logs every statement with its duration at level `info`, never its values. `DATABASE_ECHO`.
   * @defaultValue `false`
   */
  echo?: boolean | undefined
  /**
   * The longest run of a statement in seconds, enforced by PostgreSQL: 0.001 to 2147483.647, or 0 to set none (a limit set on
   * the server still holds). `DATABASE_STATEMENT_TIMEOUT`.
   * If the network does not deliver PostgreSQL's response, the connection is destroyed a few seconds later.
   * @defaultValue `15`
   */
  statementTimeoutSeconds?: number | undefined
  /**
   * The longest wait of a statement for a lock in seconds, enforced by PostgreSQL: 0.001 to 2147483.647, or 0 to set none. `DATABASE_LOCK_TIMEOUT`.
   * @defaultValue `5`
   */
  lockTimeoutSeconds?: number | undefined
  /**
   * The longest pause inside a transaction in seconds, after which PostgreSQL closes the connection: 0.001 to 2147483.647, or 0
   * to set none. `DATABASE_IDLE_IN_TRANSACTION_TIMEOUT`.
   * @defaultValue `30`
   */
  idleInTransactionTimeoutSeconds?: number | undefined
  /**
   * Statements that took longer than this, in milliseconds, are logged as warnings: 0 (every statement) to 2147483647 (in
   * effect none). `DATABASE_SLOW_QUERY_MILLIS`.
   * @defaultValue `500`
   */
  slowQueryMillis?: number | undefined
  /**
   * The pooler between the server and PostgreSQL: `'none'`, `'transaction'` (PgBouncer, Supavisor and others in transaction mode), or
   * `'auto'`, which finds out from the first connection and writes it to the log. `DATABASE_POOLER`.
   *
   * Behind a pooler the three limits above travel with each transaction and each statement, not as startup parameters.
   * @defaultValue `auto`
   * @example
   * ```ts
   * await openDatabase({ connectionString: 'postgresql://ada@pooler:6432/shop', pooler: 'transaction' })
   * ```
   */
  pooler?: 'none' | 'transaction' | 'auto' | undefined
  /**
   * Keeps named prepared statements on each connection. `true` says that the pooler keeps them (PgBouncer from 1.21 on with
   * `max_prepared_statements`). An object says how many, and leaves to the variable, or else to the pooler, whether there are any.
   * `DATABASE_PREPARED_STATEMENTS`.
   * @defaultValue `true`; behind a pooler that `'auto'` found, whether it keeps them; with `pooler: 'transaction'` false
   */
  preparedStatements?: boolean | PreparedStatementOptions | undefined
  /**
   * The number of processes with a pool of this size that share the server: 1 to 262143. `DATABASE_PROCESSES`. The start warns
   * if all of them together may open more connections than the server has left. Count the processes of all machines.
   * Unless given, the value of `WEB_CONCURRENCY` if that is valid.
   * @defaultValue `1`
   */
  processes?: number | undefined
  /** The Drizzle schema, as in `drizzle({ schema })`: all tables and relations. With Drizzle 1.0, `relations` takes its place. */
  schema?: Record<string, unknown> | undefined
  /** The result of `defineRelations()`, as in `drizzle({ relations })`. Only with Drizzle 1.0. */
  relations?: Record<string, unknown> | undefined
  /** How Drizzle derives column names, as in `drizzle({ casing })`. Only with Drizzle 0.45: in 1.0, `snakeCase.table()` names the columns. */
  casing?: 'snake_case' | 'camelCase' | undefined
  drizzle?: DrizzleOptions | undefined
  repository?: RepositoryOptions | undefined
  /**
   * How long closing waits for running work before ending it, in seconds: 0.001 to 2147483.647, or 0 for no waiting.
   * @defaultValue `10`
   */
  drainTimeoutSeconds?: number | undefined
  /**
   * A connection in use for longer than this, in seconds, is logged as a warning: 0.001 to 2147483.647, or 0 for no warning.
   * @defaultValue `30`
   */
  leakWarningSeconds?: number | undefined
  /**
   * How long the start waits for a database that cannot be reached yet, in seconds: 0.001 to 2147483.647, or 0 for no waiting.
   * @defaultValue `0`
   */
  waitForDatabaseSeconds?: number | undefined
  /**
   * Starts even if the database does not answer; queries fail until it does.
   * @defaultValue `false`
   */
  degraded?: boolean | undefined
  /** A pool that you made, used as it is and never ended by this package. `connectionString` and `pool` are then refused, their variables ignored. */
  pg?: Pool | undefined
  /**
   * The log, with pino's interface.
   * @defaultValue `fastify.log` in Fastify, else silence
   */
  logger?: Logger | undefined
}
