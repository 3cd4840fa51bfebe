/**
 * Migrations at the start of a server: checked, or applied.
 *
 * What is wrong for good stops the start. What somebody else will put right, pending files and a database that is not there yet, keeps the
 * database unready instead: whoever asks for its health has it checked again, until it was right once.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { ConnectionError, MigrationError } from '../errors/errors.js'
import { isConnectionLost } from '../errors/to-database-error.js'
import { pauseMillis } from '../runtime/backoff.js'
import type { Logger } from '../runtime/logger.js'
import { databaseProblems } from './check-migrations.js'
import { compare } from './history/compare.js'
import { withClient, type RunnerOptions } from './history/migration-options.js'
import { refuse, type MigrationProblem } from './history/problems.js'
import { runMigrations } from './run-migrations.js'
import { ignore } from '../runtime/promises.js'

/** What a server does about migrations when it starts. */
export interface MigrationsAtStart extends Pick<RunnerOptions, 'folder' | 'table' | 'lockTimeoutSeconds' | 'statementLockTimeoutSeconds' | 'lockRetries'> {
  /**
   * `'verify'`: looks whether the database has the migrations of the folder. `'apply'`: applies those that it does not have, under the lock that all runners share.
   * `'ignore'`: does nothing.
   * @defaultValue `'verify'`
   */
  readonly atStart?: 'verify' | 'apply' | 'ignore' | undefined
  /**
   * What `'verify'` makes of migrations that are not applied. `'unready'`: the server starts, and its health route answers 503 until somebody has applied them.
   * `'refuse'`: the start fails.
   * @defaultValue `'unready'`
   */
  readonly onPending?: 'unready' | 'refuse' | undefined
  /**
   * What to make of migrations in the database that the folder does not have: the database is newer than this code, as in every deployment that goes
   * step by step. `'warn'`: logged. `'refuse'`: the start fails.
   * @defaultValue `'warn'`
   */
  readonly onUnknown?: 'warn' | 'refuse' | undefined
}

/** Where it is done. */
export interface StartCircumstances extends Pick<RunnerOptions, 'database'> {
  readonly logger: Logger
  /** The start does not wait for a database that does not answer. */
  readonly degraded: boolean
}

const backoff = { firstMillis: 500, longestMillis: 10_000, jitter: 0 }

/** The migrations of one server, from its start on. */
export class StartupMigrations {
  readonly #options: MigrationsAtStart & RunnerOptions
  readonly #circumstances: StartCircumstances
  readonly #stopped = new AbortController()
  /** Why the database is not ready, as far as is known. */
  #reason: string | undefined = 'the migrations were not checked yet'
  #look: Promise<void> | undefined
  #said = ''

  constructor (options: MigrationsAtStart, circumstances: StartCircumstances) {
    this.#options = { ...options, database: circumstances.database }
    this.#circumstances = circumstances
  }

  /**
   * Does what the options say.
   *
   * @throws {MigrationError} for what nobody else will put right, and with `onPending: 'refuse'` for migrations that are pending
   * @throws {ConnectionError} when the database does not answer, unless the start is `degraded`
   */
  async start (): Promise<void> {
    try {
      await this.#attempt()
    } catch (error) {
      if (!this.#circumstances.degraded || !(error instanceof ConnectionError)) throw error
      if (this.#options.atStart === 'apply') this.#applyLater()
    }
  }

  /** Why the database is not ready, undefined when it is; never rejects. Once right, it is not checked again. */
  async reason (): Promise<string | undefined> {
    if (this.#reason === undefined) return undefined
    // One that applies looks by itself, as long as it takes.
    if (this.#options.atStart !== 'apply') await (this.#look ??= this.#lookAgain().finally(() => { this.#look = undefined }))
    return this.#reason
  }

  /** Ends what waits for the database. */
  stop (): void {
    this.#stopped.abort()
  }

  async #attempt (): Promise<void> {
    const pending = await this.#findPending()
    if (pending.length > 0 && this.#options.atStart === 'apply') await this.#apply()
    else if (pending.length > 0) this.#hold(pending)
    else this.#reason = undefined
  }

  /** What is still to be done; throws for all that would not be put right by doing it. */
  async #findPending (): Promise<MigrationProblem[]> {
    const { onPending = 'unready', onUnknown = 'warn', atStart } = this.#options
    const comparison = await withClient(this.#options, (client) => compare(client, this.#options))
    const problems = databaseProblems(comparison)
    const unknown = problems.filter(({ kind }) => kind === 'missing')
    const pending = problems.filter(({ kind }) => kind === 'pending' || kind === 'unfinished')
    refuse(problems.filter((problem) => !pending.includes(problem) && (onUnknown === 'refuse' || !unknown.includes(problem))))
    if (unknown.length > 0) this.#say(`${unknown.map(({ message }) => message).join('\n')}`)
    if (onPending === 'refuse' && atStart !== 'apply') refuse(pending)
    return pending
  }

  async #apply (): Promise<void> {
    const { logger } = this.#circumstances
    const began = performance.now()
    const { atStart, onPending, onUnknown, ...options } = this.#options
    const { applied } = await runMigrations({
      ...options,
      onWait: ({ tag, pauseMillis, blockedBy }) => logger.warn({ tag, pauseMillis, blockedBy }, 'a migration did not get its locks, and is tried again')
    })
    this.#reason = undefined
    logger.info({ migrations: applied.map(({ tag }) => tag), durationMillis: Math.round(performance.now() - began) }, 'applied the migrations that were pending')
  }

  #hold (pending: readonly MigrationProblem[]): void {
    this.#reason = pending.map(({ message }) => message).join('\n')
    this.#say(`${this.#reason}\nThe server is unready until the migrations are applied`)
  }

  async #lookAgain (): Promise<void> {
    await this.#attempt().catch((error: Error) => {
      this.#reason = error instanceof ConnectionError ? 'the migrations could not be checked' : error.message
      this.#say(this.#reason)
    })
  }

  /** Once for each text: health is asked for every few seconds. */
  #say (text: string): void {
    if (this.#said === text) return
    this.#said = text
    this.#circumstances.logger.warn({ folder: this.#options.folder }, text)
  }

  /** Tries until the database is there, and the migrations are applied, or cannot be. */
  async #applyLater (): Promise<void> {
    const { logger } = this.#circumstances
    const { signal } = this.#stopped
    for (let attempts = 1; !signal.aborted; attempts++) {
      await wait(pauseMillis(backoff, attempts), undefined, { signal, ref: false }).catch(ignore)
      const error = signal.aborted ? undefined : await this.#attempt().then(() => undefined, (error: Error) => error)
      if (isPassing(error)) continue
      if (error === undefined) return
      this.#reason = error.message
      return logger.error({ err: error }, 'the migrations could not be applied: the server stays unready')
    }
  }
}

/** Whether the same may go well when it is tried again later. */
function isPassing (error: Error | undefined): boolean {
  if (!(error instanceof MigrationError)) return error instanceof ConnectionError
  return error.code === 'DB_MIGRATION_LOCKED' || (error.code === 'DB_MIGRATION_FAILED' && isConnectionLost(error.cause))
}
