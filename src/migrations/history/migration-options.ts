import { toDatabaseError } from '../../errors/to-database-error.js'
import { called, flag, text } from '../../runtime/option-checks.js'
import { ignore } from '../../runtime/promises.js'
import { DatabaseClient } from '../../pg/database-client.js'
import { missingConnection } from '../../settings/client-config.js'
import { extendConnection, parseConnectionString } from '../../settings/url/connection-string.js'
import { limits } from './option-limits.js'
import type { Client, ClientConfig, Pool } from 'pg'
import type { OptionChecks } from '../../runtime/option-checks.js'
import type { MigrationProgress, MigrationWait } from './step.js'

/** The migrations and their database. */
export interface MigrationOptions {
  /**
   * The database's URL. Its server must be reached directly, or by a pooler in session mode: locks belong to a connection.
   * @defaultValue `DATABASE_URL`
   */
  readonly connectionString?: string | undefined
  /** An open database instead of its URL. Migrations use connections of their own, outside its pool. */
  readonly database?: { readonly pool: Pool } | undefined
  /**
   * drizzle-kit's `out`: the folder that holds the SQL files and `meta/_journal.json`, or the folders of drizzle-kit 1.0.
   * @defaultValue `'./drizzle'`
   */
  readonly folder?: string | undefined
  /**
   * The table that records the applied migrations: `schema.table`, drizzle-kit's `migrations: { schema, table }`.
   * @defaultValue `'drizzle.__drizzle_migrations'`
   */
  readonly table?: string | undefined
  /**
   * The longest wait for another process that is running migrations, in seconds. Fractions are allowed; 0 means no waiting.
   * @defaultValue `60`
   */
  readonly lockTimeoutSeconds?: number | undefined
}

/** The options of a run, up or down. */
export interface RunnerOptions extends MigrationOptions {
  /**
   * Only reports what would be done, with the same refusals. Nothing is changed, and no lock is waited for.
   * @defaultValue `false`
   */
  readonly dryRun?: boolean | undefined
  /**
   * The longest wait of a statement for a lock on a table, in seconds: 0.001 to 2147483.647. The application's statements queue behind it that long at most;
   * then the file is rolled back and retried. `CONCURRENTLY` statements block nothing, and wait without limit.
   * @defaultValue `2`
   */
  readonly statementLockTimeoutSeconds?: number | undefined
  /**
   * How often a file is retried that did not get its locks or ended in a deadlock: 0 to 1000, with pauses of half a second up to ten seconds.
   * @defaultValue `10`
   */
  readonly lockRetries?: number | undefined
  /** Stops the run when aborted: the current statement is cancelled and its file rolled back. Earlier files stay. */
  readonly signal?: AbortSignal | undefined
  /** Called after each statement. In a transaction it may still be rolled back. If the function throws, the file fails. */
  readonly onProgress?: ((progress: MigrationProgress) => void) | undefined
  /** Called before each pause that precedes a retry. */
  readonly onWait?: ((wait: MigrationWait) => void) | undefined
}

/** Turns off the time limits that an application sets for its statements and a server for idle sessions: an index on a large table takes its time. */
const session = `select set_config(name, '0', false) from pg_settings
  where name in ('statement_timeout', 'lock_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout')`

const named = "select set_config('application_name', 'fastify-data-access migrations', false) where current_setting('application_name') = ''"

/** Resets a connection, whatever the file before it has set. */
export const freshSession = `reset all; reset role; ${session}; ${named}`

/** Runs `fn` with a new connection, without the time limits of the application. */
export async function withClient<Result> (options: MigrationOptions, fn: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new DatabaseClient(clientConfig(options))
  // A lost connection already rejects the current statement. Without a listener, the event would end the process, too.
  client.on('error', ignore)
  try {
    await client.connect()
    await client.query(freshSession)
  } catch (error) {
    throw toDatabaseError(error, { context: { operation: 'connect' } })
  }
  try {
    return await fn(client)
  } finally {
    await client.end()
  }
}

function clientConfig ({ connectionString, database }: MigrationOptions): ClientConfig {
  // Under the application's limit, the query that turns the limit off could fail.
  if (database !== undefined) return extendConnection(database.pool.options, { statement_timeout: false })
  const url = connectionString ?? process.env['DATABASE_URL'] ?? ''
  if (url === '') throw missingConnection()
  return parseConnectionString(url)
}

/** The checks of {@link MigrationOptions}. */
export const migrationOptions: OptionChecks<MigrationOptions> = {
  connectionString: [(value) => typeof value === 'string', 'must be a URL'],
  database: [(value) => Object(Object(Object(value).pool).options) === Object(value).pool?.options, 'must be an open database, as openDatabase() or server.db gives it'],
  folder: text,
  table: text,
  lockTimeoutSeconds: limits.lockTimeoutSeconds
}

/** The checks of {@link RunnerOptions}. */
export const runnerOptions: OptionChecks<RunnerOptions> = {
  ...migrationOptions,
  dryRun: flag,
  statementLockTimeoutSeconds: limits.statementLockTimeoutSeconds,
  lockRetries: limits.lockRetries,
  signal: [(value) => value instanceof AbortSignal, 'must be the signal of an AbortController'],
  onProgress: called,
  onWait: called
}
