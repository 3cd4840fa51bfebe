import type { Logger as QueryLogger } from 'drizzle-orm'
import type { Pool } from 'pg'
import type { Logger } from '../runtime/logger.js'

/** How many connections there are, how long they live, and how long a query waits for one. */
export interface PoolOptions {
  /**
   * Connections that stay open once they were opened: 1 to 262143. `DATABASE_POOL_SIZE`.
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
   * How many may wait for a connection at the same time; the next one is refused at once. 0: nobody waits. `DATABASE_POOL_MAX_WAITING`.
   * @defaultValue 10 × (size + maxOverflow)
   */
  maxWaiting?: number | undefined
  /**
   * The longest life of a connection in seconds, ended when nobody uses it: 0.001 to 2147483.647, or 0 for no limit. `DATABASE_POOL_RECYCLE`.
   * @defaultValue `3600`
   */
  recycleSeconds?: number | undefined
  /**
   * Proves a connection that was idle, or replaces it, before it is handed out. `DATABASE_POOL_PRE_PING`.
   * @defaultValue `true`
   */
  prePing?: boolean | undefined
  /**
   * How many milliseconds a connection was idle before it is proved: 0 (always) to 2147483647.
   * @defaultValue `1000`
   */
  prePingAfterMillis?: number | undefined
  /**
   * Logs the events of the pool at level `info`. `DATABASE_ECHO_POOL`.
   * @defaultValue `false`
   */
  echo?: boolean | undefined
  /**
   * Sends DISCARD ALL when a connection comes back, so that the next one to use it finds nothing of its session. Costs a round trip and the prepared statements.
   * @defaultValue `false`
   */
  resetOnRelease?: boolean | undefined
}

/** How many rows a list may have. */
export interface RepositoryOptions {
  /**
   * Rows in a list that asks for no limit: 1 to `maxLimit`.
   * @defaultValue `100`, or `maxLimit` where that is less
   */
  defaultLimit?: number | undefined
  /**
   * Rows that a list may ask for at most: 1 to 2147483647.
   * @defaultValue `1000`
   */
  maxLimit?: number | undefined
}

/** What Drizzle's own `drizzle()` takes, besides `schema` and `casing`. Its `cache` is refused: it knows nothing of transactions. */
export interface DrizzleOptions {
  /**
   * Sees the text and the values of each query of Drizzle's (`database.drizzle`, `session.drizzle`, `execute`), as in `drizzle({ logger })`; `true` prints them.
   * It does not see repositories, BEGIN and COMMIT: `echo` logs every statement, without values.
   * @defaultValue `false`
   */
  logger?: boolean | QueryLogger | undefined
}

/**
 * How to reach a database and how to treat it. An option wins over its environment variable.
 *
 * Durations are seconds or milliseconds, as their names say, and may have a fraction.
 */
export interface DatabaseOptions {
  /**
   * The URL of the database: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full`. `DATABASE_URL`. Required unless {@link DatabaseOptions.pg} is given.
   *
   * Special characters in a part are percent-encoded. `sslmode` has libpq's meaning, a Python driver suffix (`postgresql+asyncpg://`) is accepted. Never printed.
   */
  connectionString?: string | undefined
  pool?: PoolOptions | undefined
  /**
   * Logs every statement with its duration at level `info`, never its values. `DATABASE_ECHO`.
   * @defaultValue `false`
   */
  echo?: boolean | undefined
  /**
   * The longest run of a statement in seconds, ended by PostgreSQL: 0.001 to 2147483.647, or 0 for none of ours (a limit set on the server still holds). `DATABASE_STATEMENT_TIMEOUT`.
   * Where the network keeps PostgreSQL's word from us, the connection is given up a few seconds later.
   * @defaultValue `15`
   */
  statementTimeoutSeconds?: number | undefined
  /**
   * The longest wait of a statement for a lock in seconds, ended by PostgreSQL: 0.001 to 2147483.647, or 0 for none of ours. `DATABASE_LOCK_TIMEOUT`.
   * @defaultValue `5`
   */
  lockTimeoutSeconds?: number | undefined
  /**
   * The longest pause inside a transaction in seconds, after which PostgreSQL closes the connection: 0.001 to 2147483.647, or 0 for none of ours. `DATABASE_IDLE_IN_TRANSACTION_TIMEOUT`.
   * @defaultValue `30`
   */
  idleInTransactionTimeoutSeconds?: number | undefined
  /**
   * Statements that took more milliseconds are logged as warnings: 0 (every statement) to 2147483647 (in effect none). `DATABASE_SLOW_QUERY_MILLIS`.
   * @defaultValue `500`
   */
  slowQueryMillis?: number | undefined
  /**
   * Keeps named prepared statements on each connection. False behind a pooler that cannot keep them; the three limits above are then sent with each BEGIN. `DATABASE_PREPARED_STATEMENTS`.
   * @defaultValue `true`
   */
  preparedStatements?: boolean | undefined
  /** The Drizzle schema, as in `drizzle({ schema })`: all tables and relations. With Drizzle 1.0, `relations` takes its place. */
  schema?: Record<string, unknown> | undefined
  /** The result of `defineRelations()`, as in `drizzle({ relations })`. Only with Drizzle 1.0, which this version does not support yet. */
  relations?: Record<string, unknown> | undefined
  /** How Drizzle derives column names, as in `drizzle({ casing })`. Only with Drizzle 0.45: in 1.0, `snakeCase.table()` names the columns. */
  casing?: 'snake_case' | 'camelCase' | undefined
  drizzle?: DrizzleOptions | undefined
  repository?: RepositoryOptions | undefined
  /**
   * How many seconds closing waits for work in flight before it ends it: 0.001 to 2147483.647, or 0 for no waiting.
   * @defaultValue `10`
   */
  drainTimeoutSeconds?: number | undefined
  /**
   * A connection in use for longer than so many seconds is logged as a warning: 0.001 to 2147483.647, or 0 for no warning.
   * @defaultValue `30`
   */
  leakWarningSeconds?: number | undefined
  /**
   * How many seconds the start waits for a database that is not there yet: 0.001 to 2147483.647, or 0 for no waiting.
   * @defaultValue `0`
   */
  waitForDatabaseSeconds?: number | undefined
  /**
   * Starts even when the database does not answer; queries fail until it does.
   * @defaultValue `false`
   */
  degraded?: boolean | undefined
  /** A pool of one's own, used as it is and never ended by us; `connectionString` and `pool` beside it are refused, their variables are ignored. */
  pg?: Pool | undefined
  /**
   * Where to log: pino's interface.
   * @defaultValue `fastify.log` in Fastify, silence without
   */
  logger?: Logger | undefined
}
