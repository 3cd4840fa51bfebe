import type { Client } from 'pg'
import { describeSession, sessionColumns, type Session } from './describe-session.js'
import { ignore } from '../../runtime/promises.js'

/** How long after a cancel the next one leaves, in milliseconds. */
const cancelEveryMillis = 100

/** Looks after the connection that works, over a second one: who keeps it waiting, since PostgreSQL no longer tells once a lock was given up; and stops it. */
export class ConnectionMonitor {
  readonly #client: Client
  readonly #pid: number
  readonly #everyMillis: number
  #last: Promise<unknown> = Promise.resolve()
  #seen: readonly string[] = []

  /** @param everyMillis how often to look: less than the wait for a lock */
  constructor (client: Client, pid: number, everyMillis: number) {
    this.#client = client
    this.#pid = pid
    this.#everyMillis = everyMillis
  }

  /** Who was last seen in the way, and forgets it. */
  takeBlockers (): readonly string[] {
    const seen = this.#seen
    this.#seen = []
    return seen
  }

  /** Looks now and then while `fn` works. */
  async during<Result> (fn: () => Promise<Result>): Promise<Result> {
    let look: Promise<void> | undefined
    const timer = setInterval(() => { look ??= this.#look().finally(() => { look = undefined }) }, this.#everyMillis)
    try {
      return await fn()
    } finally {
      clearInterval(timer)
      await look
    }
  }

  /** Cancels what the other connection carries out, or is about to get: again and again, until this one ends. */
  cancel (): void {
    this.#ask('select pg_cancel_backend($1)').then(() => setTimeout(() => this.cancel(), cancelEveryMillis).unref(), ignore)
  }

  async #look (): Promise<void> {
    const sessions = await this.#ask<Session>(`select ${sessionColumns} from pg_stat_activity where pid = any(pg_blocking_pids($1))`).catch(() => [])
    if (sessions.length > 0) this.#seen = sessions.map(describeSession)
  }

  /** One question after the other: pg does not queue them for ever. */
  #ask<Row extends object = object> (text: string): Promise<Row[]> {
    const rows = this.#last.then(() => this.#client.query<Row>(text, [this.#pid])).then(({ rows }) => rows)
    this.#last = rows.catch(ignore)
    return rows
  }
}
