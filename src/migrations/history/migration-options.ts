import { Client } from 'pg'
import { toDatabaseError } from '../../errors/to-database-error.js'
import { called, flag, text } from '../../runtime/option-checks.js'
import { ignore } from '../../runtime/promises.js'
import { missingConnection } from '../../settings/client-config.js'
import { extendConnection, parseConnectionString } from '../../settings/url/connection-string.js'
import { limits } from './option-limits.js'
import type { ClientConfig, Pool } from 'pg'
import type { OptionChecks } from '../../runtime/option-checks.js'
import type { MigrationProgress, MigrationWait } from './step.js'

/** Which migrations, and on which database. */
export interface MigrationOptions {
  /**
   * The database's URL. Its server must be reached directly, or by a pooler in session mode: locks belong to a connection.
   * @defaultValue `DATABASE_URL`
   */
  readonly connectionString?: string | undefined
  /** An open database, instead of its URL; migrations run on connections of their own beside its pool. */
  readonly database?: { readonly pool: Pool } | undefined
  /**
   * drizzle-kit's `out`: the folder that holds the SQL files and `meta/_journal.json`.
   * @defaultValue `'./drizzle'`
   */
  readonly folder?: string | undefined
  /**
   * Where it is noted which migrations were applied: `schema.table`, drizzle-kit's `migrations: { schema, table }`.
   * @defaultValue `'drizzle.__drizzle_migrations'`
   */
  readonly table?: string | undefined
  /**
   * The longest wait for another process that is running migrations, in seconds; fractions allowed, 0 for no waiting.
   * @defaultValue `60`
   */
  readonly lockTimeoutSeconds?: number | undefined
}

/** How migrations are run, up or down. */
export interface RunnerOptions extends MigrationOptions {
  /**
   * Only tells what would be done, and refuses what would be refused; nothing is changed, and nobody is waited for.
   * @defaultValue `false`
   */
  readonly dryRun?: boolean | undefined
  /**
   * The longest wait of a statement for a lock on a table, in seconds: 0.001 to 2147483.647. So long may the application's statements queue behind it; after that
   * the file is rolled back and tried again. What is built CONCURRENTLY holds nobody up, and waits without limit.
   * @defaultValue `2`
   */
  readonly statementLockTimeoutSeconds?: number | undefined
  /**
   * How often a file is tried again that did not get its locks, or that ended in a deadlock: 0 to 1000, with pauses from half a second up to ten.
   * @defaultValue `10`
   */
  readonly lockRetries?: number | undefined
  /** Stops: the statement that runs is cancelled, and its file rolled back; files before it stay. */
  readonly signal?: AbortSignal | undefined
  /** Hears of each statement that was carried out. In a transaction it may still be rolled back. What it throws fails the file. */
  readonly onProgress?: ((progress: MigrationProgress) => void) | undefined
  /** Hears of each pause before a file is tried again. */
  readonly onWait?: ((wait: MigrationWait) => void) | undefined
}

/** Limits that an application has for its own statements, and a server for idle sessions: an index on a large table takes what it takes. */
const session = `select set_config(name, '0', false) from pg_settings
  where name in ('statement_timeout', 'lock_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout')`

const named = "select set_config('application_name', 'fastify-data-access migrations', false) where current_setting('application_name') = ''"

/** A connection as a migration expects it, whatever the one before it has set. */
export const freshSession = `reset all; reset role; ${session}; ${named}`

/** Runs `fn` with a connection of its own, without the time limits of the application. */
export async function withClient<Result> (options: MigrationOptions, fn: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client(clientConfig(options))
  // A lost connection rejects the statement that runs; as an event that nobody hears it would end the process, too.
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
  // Under the application's limit the question that lifts it could fail.
  if (database !== undefined) return extendConnection(database.pool.options, { statement_timeout: false })
  const url = connectionString ?? process.env['DATABASE_URL'] ?? ''
  if (url === '') throw missingConnection()
  return parseConnectionString(url)
}

/** What tells which migrations, and on which database. */
export const migrationOptions: OptionChecks<MigrationOptions> = {
  connectionString: [(value) => typeof value === 'string', 'must be a URL'],
  database: [(value) => Object(Object(Object(value).pool).options) === Object(value).pool?.options, 'must be an open database, as openDatabase() or server.db gives it'],
  folder: text,
  table: text,
  lockTimeoutSeconds: limits.lockTimeoutSeconds
}

export const runnerOptions: OptionChecks<RunnerOptions> = {
  ...migrationOptions,
  dryRun: flag,
  statementLockTimeoutSeconds: limits.statementLockTimeoutSeconds,
  lockRetries: limits.lockRetries,
  signal: [(value) => value instanceof AbortSignal, 'must be the signal of an AbortController'],
  onProgress: called,
  onWait: called
}
