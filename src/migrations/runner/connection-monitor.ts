import type { Client } from 'pg'
import { MigrationError } from '../../errors/errors.js'
import { processOf, requestCancel } from '../../pg/client.js'
import { describeSession, sessionColumns, type Session } from './describe-session.js'
import { ignore } from '../../runtime/promises.js'
import type { RunnerConnections } from './runner-lock.js'

/** The pause between two cancel requests, in milliseconds: the first may arrive before its statement. */
const cancelEveryMillis = 100

/** How long a cancel request may take, in milliseconds. */
const cancelMillis = 5000

/** Fails if the session holds no advisory lock. */
const confirmation = "select 1 / count(*) from pg_locks where pid = pg_backend_pid() and locktype = 'advisory'"

/** How a connection is monitored. */
export interface ConnectionMonitorOptions {
  /** The interval between two checks: shorter than the wait for a lock. */
  readonly everyMillis: number
  /** How the URL of the server itself is given, for messages. */
  readonly direct: string
}

/**
 * Monitors the working connection over the one that holds the lock: records the sessions that block it, and cancels its statement. PostgreSQL no longer
 * names the blocking sessions once a lock wait has ended.
 *
 * Queries have no parameters, so that the transaction that holds the lock keeps no snapshot.
 */
export class ConnectionMonitor {
  /** The process that runs the current transaction; undefined if a pooler may choose any. */
  pid: number | undefined
  readonly #work: Client
  readonly #watch: Client
  readonly #everyMillis: number
  readonly #direct: string
  #last: Promise<unknown> = Promise.resolve()
  #seen: readonly string[] = []
  #isRunning = false
  #cancelling: Promise<void> | undefined

  constructor ({ work, watch, isDirect }: RunnerConnections, { everyMillis, direct }: ConnectionMonitorOptions) {
    this.#direct = direct
    this.pid = isDirect ? processOf(work) : undefined
    this.#work = work
    this.#watch = watch
    this.#everyMillis = everyMillis
  }

  /** Returns the sessions that were last seen blocking, and forgets them. */
  takeBlockers (): readonly string[] {
    const seen = this.#seen
    this.#seen = []
    return seen
  }

  /**
   * Asks whether the lock is still held. A runner that also holds the second lock is then the only one, until that lock ends.
   *
   * @throws {MigrationError} `DB_MIGRATION_FAILED` if its transaction has ended, or its connection was lost
   */
  async confirmLock (): Promise<void> {
    await this.#ask(confirmation).catch((cause: unknown) => {
      throw new MigrationError(
        `The connection that holds the lock of migrations was lost, so the run stopped before its next statement: run again. If a pooler ended it, give the URL of the server itself as ${this.#direct}`,
        'DB_MIGRATION_FAILED', { cause }
      )
    })
  }

  /** Checks at intervals while `fn` runs. */
  async during<Result> (fn: () => Promise<Result>): Promise<Result> {
    let check: Promise<void> | undefined
    const timer = setInterval(() => { check ??= this.#check().finally(() => { check = undefined }) }, this.#everyMillis)
    this.#isRunning = true
    try {
      return await fn()
    } finally {
      this.#isRunning = false
      clearInterval(timer)
      await check
      // A late request could hit another statement.
      await this.#cancelling
    }
  }

  /** Cancels the current statement of the working connection. Its caller keeps later ones from starting. */
  cancel (): void {
    this.#cancelling ??= this.#cancel()
  }

  async #cancel (): Promise<void> {
    while (this.#isRunning) {
      await requestCancel(this.#work, cancelMillis)
      await new Promise((resolve) => setTimeout(resolve, cancelEveryMillis))
    }
  }

  async #check (): Promise<void> {
    const { pid } = this
    if (pid === undefined) return
    const sessions = await this.#ask<Session>(`select ${sessionColumns} from pg_stat_activity where pid = any(pg_blocking_pids(${pid}))`).catch(() => [])
    if (sessions.length > 0) this.#seen = sessions.map(describeSession)
  }

  /** Runs one query after the other. pg deprecates queueing on one client. */
  #ask<Row extends object = object> (text: string): Promise<Row[]> {
    const rows = this.#last.then(() => this.#watch.query<Row>(text)).then(({ rows }) => rows)
    this.#last = rows.catch(ignore)
    return rows
  }
}
