import type { Client } from 'pg'
import { MigrationError } from '../../errors/errors.js'
import { AppliedTable } from '../history/applied-table.js'
import { notify } from './failure-messages.js'
import { asDatabaseError } from '../history/as-database-error.js'
import type { RunnerConnections } from './runner-lock.js'
import type { RunnerOptions } from '../history/migration-options.js'
import { ProgressTable } from '../history/progress-table.js'
import type { MigrationStep, MigrationWait } from '../history/step.js'
import { ConnectionMonitor } from './connection-monitor.js'

/** Starts the run of a runner that holds its locks. */
export async function startRun (connections: RunnerConnections, options: RunnerOptions): Promise<RunContext> {
  const { rows: [row] } = await asDatabaseError(connections.work.query('select pg_backend_pid() as pid'))
  const work = new RunContext(connections, row.pid, options)
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
  /** How often a file is retried that did not get its locks. */
  readonly lockRetries: number
  /** PostgreSQL's `lock_timeout`, as text. */
  readonly lockTimeout: string
  readonly #options: RunnerOptions

  constructor ({ work, watch }: RunnerConnections, pid: number, options: RunnerOptions) {
    const { table, lockRetries = 10, statementLockTimeoutSeconds = 2 } = options
    this.client = work
    this.applied = new AppliedTable(work, table)
    this.progress = new ProgressTable(work, table)
    this.lockTimeout = `${Math.ceil(statementLockTimeoutSeconds * 1000)}ms`
    this.lockRetries = lockRetries
    this.#options = options
    this.monitor = new ConnectionMonitor(watch, pid, statementLockTimeoutSeconds * 1000 / 3)
  }

  /** Runs one statement of a file, and reports its progress. */
  async runStatement ({ direction, migration: { tag }, text: { statements } }: MigrationStep, index: number): Promise<void> {
    this.throwIfAborted()
    const sql = statements[index] as string
    const began = performance.now()
    await this.monitor.during(() => this.client.query(sql))
    const durationMillis = performance.now() - began
    notify(this.#options.onProgress, { direction, tag, statement: index + 1, total: statements.length, sql, durationMillis })
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
    notify(this.#options.onWait, { direction, tag, ...wait })
  }
}
