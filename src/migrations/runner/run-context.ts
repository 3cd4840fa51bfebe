import type { Client } from 'pg'
import { MigrationError } from '../../errors/errors.js'
import { ignore } from '../../runtime/promises.js'
import { AppliedTable } from '../history/applied-table.js'
import { directSetting } from '../history/migration-client.js'
import { notify } from './failure-messages.js'
import { withoutLimits } from '../history/in-transaction.js'
import { defaultStatementLockTimeoutSeconds, lockTimeoutOf } from '../history/option-limits.js'
import { lockWork, type RunnerConnections } from './runner-lock.js'
import { ownSession, readSettings, restore, type SessionSettings } from './session-settings.js'
import { refuseSessionStatements } from './session-statements.js'
import type { RunnerOptions } from '../history/migration-options.js'
import { searchPathOf, tableOf, type Placed } from '../history/schema-place.js'
import { ProgressTable } from '../history/progress-table.js'
import type { MigrationStep, MigrationWait } from '../history/step.js'
import { ConnectionMonitor } from './connection-monitor.js'

/**
 * Starts the run of a runner that holds its locks.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` for a file that needs a session, behind a pooler that gives each transaction another
 */
export function startRun (connections: RunnerConnections, options: RunnerOptions & Placed, steps: readonly MigrationStep[]): RunContext {
  if (!connections.isDirect) refuseSessionStatements(steps, { direct: directSetting(options), place: options.place })
  const work = new RunContext(connections, options)
  // throwIfAborted() keeps later statements from starting. This cancels the current one, or one on its way to PostgreSQL.
  options.signal?.addEventListener('abort', () => work.monitor.cancel(), { once: true })
  return work
}

/** The state that the files of one run share: connection, tables, limits and listeners. */
export class RunContext {
  readonly client: Client
  readonly applied: AppliedTable
  readonly progress: ProgressTable
  readonly monitor: ConnectionMonitor
  /** Whether the connection has a session of its own, in which settings may stay. */
  readonly isDirect: boolean
  /** How often a file is retried that did not get its locks. */
  readonly lockRetries: number
  /** PostgreSQL's `lock_timeout`, as text. */
  readonly lockTimeout: string
  readonly #options: RunnerOptions & Placed

  constructor (connections: RunnerConnections, options: RunnerOptions & Placed) {
    const { lockRetries = 10, statementLockTimeoutSeconds = defaultStatementLockTimeoutSeconds } = options
    const { work, isDirect } = connections
    this.client = work
    this.isDirect = isDirect
    this.applied = new AppliedTable(work, tableOf(options))
    this.progress = new ProgressTable(work, tableOf(options))
    this.lockTimeout = lockTimeoutOf(statementLockTimeoutSeconds)
    this.lockRetries = lockRetries
    this.#options = options
    this.monitor = new ConnectionMonitor(connections, { everyMillis: statementLockTimeoutSeconds * 1000 / 3, direct: directSetting(options) })
  }

  /**
   * Begins a transaction with the limits of migrations and the second lock, for which the limit holds, too. The first lock is asked for behind it: if another
   * runner has that by now, it compares folder and database only after this transaction.
   *
   * @throws {MigrationError} `DB_MIGRATION_FAILED` if the first lock was lost
   */
  async begin (): Promise<SessionSettings> {
    const limits = `${withoutLimits}; set local lock_timeout = '${this.lockTimeout}'; ${lockWork}`
    const before = this.isDirect ? await this.#begin(limits) : await this.#beginAnywhere(limits)
    await this.monitor.confirmLock()
    return before
  }

  /** Commits. Behind a pooler, what the transaction has set is reset in the same message, before another client can get the connection. */
  async commit (before: SessionSettings): Promise<void> {
    this.throwIfAborted()
    const restored = this.isDirect ? '' : restore(before, await readSettings(this.client))
    await this.monitor.during(() => this.client.query(`commit${restored}`))
    this.#forgetProcess()
  }

  /** Rolls back. On a lost connection this fails, too: the first error is the one to report. */
  async rollback (): Promise<void> {
    this.#forgetProcess()
    await this.client.query('rollback').catch(ignore)
  }

  async #begin (limits: string): Promise<SessionSettings> {
    await this.client.query(`begin; ${limits}`)
    return ownSession
  }

  async #beginAnywhere (limits: string): Promise<SessionSettings> {
    const { rows: [row] } = await this.client.query('begin').then(() => this.client.query('select pg_backend_pid() as pid'))
    this.monitor.pid = row.pid
    const before = await readSettings(this.client)
    await this.client.query(`${limits}${this.setSearchPath('transaction')}`)
    return before
  }

  /** Behind a pooler, the process may now work for another client. */
  #forgetProcess (): void {
    if (!this.isDirect) this.monitor.pid = undefined
  }

  /** The statement that sets the search path of a run in one schema; empty in any other run. */
  setSearchPath (until: 'transaction' | 'reset'): string {
    const { place } = this.#options
    return place === undefined ? '' : `; select set_config('search_path', ${searchPathOf(place)}, ${until === 'transaction'})`
  }

  /** Runs one statement of a file, and reports its progress. */
  async runStatement ({ direction, migration: { tag }, text: { statements } }: MigrationStep, index: number): Promise<void> {
    this.throwIfAborted()
    const sql = statements[index] as string
    const began = performance.now()
    await this.monitor.during(() => this.client.query(sql))
    const durationMillis = performance.now() - began
    notify(this.#options.onProgress, { ...this.#schema, direction, tag, statement: index + 1, total: statements.length, sql, durationMillis })
  }

  /** @throws {MigrationError} `DB_MIGRATION_FAILED` if the signal was aborted */
  throwIfAborted (): void {
    if (this.#options.signal?.aborted === true) throw new MigrationError('The signal was aborted: the run stopped before the next statement', 'DB_MIGRATION_FAILED')
  }

  /** Records in drizzle-kit's table that a file was run. */
  async recordFile ({ direction, migration, ids }: MigrationStep): Promise<void> {
    await (direction === 'up' ? this.applied.insert(migration) : this.applied.remove(ids))
  }

  notifyWait ({ direction, migration: { tag } }: MigrationStep, wait: Omit<MigrationWait, 'direction' | 'tag'>): void {
    notify(this.#options.onWait, { ...this.#schema, direction, tag, ...wait })
  }

  get #schema (): { schema?: string } {
    const { place } = this.#options
    return place === undefined ? {} : { schema: place.schema }
  }
}
