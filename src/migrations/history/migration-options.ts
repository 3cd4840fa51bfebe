import { called, flag, text } from '../../runtime/option-checks.js'
import { limits } from './option-limits.js'
import type { Pool } from 'pg'
import type { DatabaseClientConfig } from '../../pg/database-client.js'
import type { OptionChecks } from '../../runtime/option-checks.js'
import type { MigrationProgress, MigrationWait } from './step.js'

/** The migrations and their database. */
export interface MigrationOptions {
  /**
   * The database's URL. It may lead through a pooler; the URL of the server itself is better for files with `no-transaction`.
   * @defaultValue `DATABASE_DIRECT_URL`, else `DATABASE_URL`
   */
  readonly connectionString?: string | undefined
  /** An open database instead of its URL. Migrations use connections of their own, outside its pool, to its `DATABASE_DIRECT_URL` if it has one. */
  readonly database?: { readonly pool: Pool, readonly directConnection?: DatabaseClientConfig | undefined, readonly name?: string } | undefined
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
