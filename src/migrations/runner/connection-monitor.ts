import type { Client } from 'pg'
import { describeSession, sessionColumns, type Session } from './describe-session.js'
import { ignore } from '../../runtime/promises.js'

/** The pause between two cancel requests, in milliseconds. */
const cancelEveryMillis = 100

/**
 * Monitors the working connection over a second connection: records the sessions that block it, and cancels its statement. PostgreSQL no longer names the
 * blocking sessions once a lock wait has ended.
 */
export class ConnectionMonitor {
  readonly #client: Client
  readonly #pid: number
  readonly #everyMillis: number
  #last: Promise<unknown> = Promise.resolve()
  #seen: readonly string[] = []

  /** @param everyMillis the interval between two checks: shorter than the wait for a lock */
  constructor (client: Client, pid: number, everyMillis: number) {
    this.#client = client
    this.#pid = pid
    this.#everyMillis = everyMillis
  }

  /** Returns the sessions that were last seen blocking, and forgets them. */
  takeBlockers (): readonly string[] {
    const seen = this.#seen
    this.#seen = []
    return seen
  }

  /** Checks at intervals while `fn` runs. */
  async during<Result> (fn: () => Promise<Result>): Promise<Result> {
    let check: Promise<void> | undefined
    const timer = setInterval(() => { check ??= this.#check().finally(() => { check = undefined }) }, this.#everyMillis)
    try {
      return await fn()
    } finally {
      clearInterval(timer)
      await check
    }
  }

  /** Cancels the current statement of the working connection, again and again until this connection ends, so that no later statement runs either. */
  cancel (): void {
    this.#ask('select pg_cancel_backend($1)').then(() => setTimeout(() => this.cancel(), cancelEveryMillis).unref(), ignore)
  }

  async #check (): Promise<void> {
    const sessions = await this.#ask<Session>(`select ${sessionColumns} from pg_stat_activity where pid = any(pg_blocking_pids($1))`).catch(() => [])
    if (sessions.length > 0) this.#seen = sessions.map(describeSession)
  }

  /** Runs one query after the other. pg deprecates queueing on one client. */
  #ask<Row extends object = object> (text: string): Promise<Row[]> {
    const rows = this.#last.then(() => this.#client.query<Row>(text, [this.#pid])).then(({ rows }) => rows)
    this.#last = rows.catch(ignore)
    return rows
  }
}
