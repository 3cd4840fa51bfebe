/**
 * Checks or applies migrations at the start of a server.
 *
 * A lasting problem stops the start. Pending files and a missing database are usually fixed by a later deployment step, so they only keep the database
 * unready: each health check compares folder and database again, until they match once.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { ConnectionError, MigrationError } from '../errors/errors.js'
import { isConnectionLost } from '../errors/to-database-error.js'
import { pauseMillis } from '../runtime/backoff.js'
import { oneOf, text, type OptionChecks } from '../runtime/option-checks.js'
import type { Logger } from '../runtime/logger.js'
import { databaseProblems } from './check-migrations.js'
import { compare } from './history/compare.js'
import { withClient } from './history/migration-client.js'
import type { RunnerOptions } from './history/migration-options.js'
import { limits } from './history/option-limits.js'
import { refuse, type MigrationProblem } from './history/problems.js'
import { runMigrations } from './run-migrations.js'
import { ignore } from '../runtime/promises.js'

export { defaultLockTimeoutSeconds } from './history/option-limits.js'

/** How a server treats migrations when it starts. */
export interface MigrationsAtStart extends Pick<RunnerOptions, 'connectionString' | 'folder' | 'table' | 'lockTimeoutSeconds' | 'statementLockTimeoutSeconds' | 'lockRetries'> {
  /**
   * `'verify'`: checks that the database has all migrations of the folder. `'apply'`: applies the pending ones, under the lock that all runners share.
   * `'ignore'`: does nothing.
   * @defaultValue `'verify'`
   */
  readonly atStart?: 'verify' | 'apply' | 'ignore' | undefined
  /**
   * How `'verify'` treats pending migrations. `'unready'`: the server starts, and its health route answers 503 until they are applied.
   * `'refuse'`: the start fails.
   * @defaultValue `'unready'`
   */
  readonly onPending?: 'unready' | 'refuse' | undefined
  /**
   * How to treat migrations of the database that the folder lacks. The database is newer than this code, as in every rolling deployment.
   * `'warn'`: logs a warning. `'refuse'`: the start fails.
   * @defaultValue `'warn'`
   */
  readonly onUnknown?: 'warn' | 'refuse' | undefined
}

/** The checks of these options. */
export const startChecks: OptionChecks<MigrationsAtStart> = {
  connectionString: text,
  atStart: oneOf('verify', 'apply', 'ignore'),
  onPending: oneOf('unready', 'refuse'),
  onUnknown: oneOf('warn', 'refuse'),
  folder: text,
  table: text,
  lockTimeoutSeconds: limits.lockTimeoutSeconds,
  statementLockTimeoutSeconds: limits.statementLockTimeoutSeconds,
  lockRetries: limits.lockRetries
}

/** The database and the logger of the start. */
export interface StartCircumstances extends Pick<RunnerOptions, 'database'> {
  readonly logger: Logger
  /** Whether the server starts even if the database does not answer. */
  readonly degraded: boolean
}

const backoff = { firstMillis: 500, longestMillis: 10_000, jitter: 0 }

/** The migration check of one server, from its start on. */
export class StartupMigrations {
  readonly #options: MigrationsAtStart & RunnerOptions
  readonly #circumstances: StartCircumstances
  readonly #stopped = new AbortController()
  /** The last known reason why the database is not ready. */
  #reason: string | undefined = 'the migrations have not been checked yet'
  #check: Promise<void> | undefined
  #lastWarning = ''

  constructor (options: MigrationsAtStart, circumstances: StartCircumstances) {
    this.#options = options.connectionString === undefined ? { ...options, database: circumstances.database } : options
    this.#circumstances = circumstances
  }

  /**
   * Checks or applies the migrations, as the options say.
   *
   * @throws {MigrationError} for a lasting problem, and with `onPending: 'refuse'` for pending migrations
   * @throws {ConnectionError} if the database does not answer, unless the start is `degraded`
   */
  async start (): Promise<void> {
    try {
      await this.#attempt()
    } catch (error) {
      if (!this.#circumstances.degraded || !(error instanceof ConnectionError)) throw error
      if (this.#options.atStart === 'apply') this.#applyLater()
    }
  }

  /** The reason why the database is not ready; undefined if it is ready. It never rejects. A ready database is not checked again. */
  async reason (): Promise<string | undefined> {
    if (this.#reason === undefined) return undefined
    // With 'apply', #applyLater() retries by itself.
    if (this.#options.atStart !== 'apply') await (this.#check ??= this.#checkAgain().finally(() => { this.#check = undefined }))
    return this.#reason
  }

  /** Stops waiting for the database. */
  stop (): void {
    this.#stopped.abort()
  }

  async #attempt (): Promise<void> {
    const pending = await this.#findPending()
    if (pending.length > 0 && this.#options.atStart === 'apply') await this.#apply()
    else if (pending.length > 0) this.#becomeUnready(pending)
    else this.#reason = undefined
  }

  /** The pending and unfinished migrations. Throws for every problem that applying them would not fix. */
  async #findPending (): Promise<MigrationProblem[]> {
    const { onPending = 'unready', onUnknown = 'warn', atStart } = this.#options
    const comparison = await withClient(this.#options, (client) => compare(client, this.#options))
    const problems = databaseProblems(comparison)
    const unknown = problems.filter(({ kind }) => kind === 'missing')
    const pending = problems.filter(({ kind }) => kind === 'pending' || kind === 'unfinished')
    refuse(problems.filter((problem) => !pending.includes(problem) && (onUnknown === 'refuse' || !unknown.includes(problem))))
    if (unknown.length > 0) this.#warn(`${unknown.map(({ message }) => message).join('\n')}`)
    if (onPending === 'refuse' && atStart !== 'apply') refuse(pending)
    return pending
  }

  async #apply (): Promise<void> {
    const { logger } = this.#circumstances
    const began = performance.now()
    const { atStart, onPending, onUnknown, ...options } = this.#options
    const { applied } = await runMigrations({
      ...options,
      onWait: ({ tag, pauseMillis, blockedBy }) => logger.warn({ tag, pauseMillis, blockedBy }, 'a migration did not get its locks and will be retried')
    })
    this.#reason = undefined
    logger.info({ migrations: applied.map(({ tag }) => tag), durationMillis: Math.round(performance.now() - began) }, 'applied the pending migrations')
  }

  #becomeUnready (pending: readonly MigrationProblem[]): void {
    this.#reason = pending.map(({ message }) => message).join('\n')
    this.#warn(`${this.#reason}\nThe server is unready until the migrations are applied`)
  }

  async #checkAgain (): Promise<void> {
    await this.#attempt().catch((error: Error) => {
      this.#reason = error instanceof ConnectionError ? 'the migrations could not be checked' : error.message
      this.#warn(this.#reason)
    })
  }

  /** Logs a text only if it differs from the last one: health checks come every few seconds. */
  #warn (text: string): void {
    if (this.#lastWarning === text) return
    this.#lastWarning = text
    this.#circumstances.logger.warn({ folder: this.#options.folder }, text)
  }

  /** Retries until the migrations are applied, or fail for a reason other than the database's absence. */
  async #applyLater (): Promise<void> {
    const { logger } = this.#circumstances
    const { signal } = this.#stopped
    for (let attempts = 1; !signal.aborted; attempts++) {
      await wait(pauseMillis(backoff, attempts), undefined, { signal, ref: false }).catch(ignore)
      const error = signal.aborted ? undefined : await this.#attempt().then(() => undefined, (error: Error) => error)
      if (isTransient(error)) continue
      if (error === undefined) return
      this.#reason = error.message
      return logger.error({ err: error }, 'the migrations could not be applied, so the server stays unready')
    }
  }
}

/** Whether a later attempt may succeed. */
function isTransient (error: Error | undefined): boolean {
  if (!(error instanceof MigrationError)) return error instanceof ConnectionError
  return error.code === 'DB_MIGRATION_LOCKED' || (error.code === 'DB_MIGRATION_FAILED' && isConnectionLost(error.cause))
}
