import { escapeIdentifier } from 'pg'
import { SettingsError } from '../errors/settings-error.js'
import { answerInTime, endInTime } from '../pg/answer-in-time.js'
import { holdProcess, processOf } from '../pg/client.js'
import { DatabaseClient, type DatabaseClientConfig } from '../pg/database-client.js'
import { ignore } from '../runtime/promises.js'
import { withVariablesOf } from '../settings/database-name.js'
import type { Logger } from '../runtime/logger.js'
import type { Notification } from './listener.js'

/** Where the connection leads. */
export interface ListenSource {
  /** The name of the database. */
  readonly name: string
  readonly config: DatabaseClientConfig
  /** Whether a pooler in transaction mode may be there, which gives no session: the URL is not the direct one. */
  readonly needsSession: boolean
  readonly logger: Logger
}

/** How often the connection is asked for a life sign, and how long an answer may take, in milliseconds. */
export interface ListenTimes {
  readonly lifeSignMillis: number
  readonly answerMillis: number
}

/** What a connection calls. */
export interface ListenEvents {
  notified (notification: Notification): void
  lost (): void
}

/** One connection for LISTEN. Like the idle connections of the pool, it does not keep the process alive. */
export class ListenConnection {
  readonly #client: DatabaseClient
  readonly #source: ListenSource
  readonly #times: ListenTimes
  #lifeSigns: NodeJS.Timeout | undefined
  #isBusy = false

  constructor (source: ListenSource, events: ListenEvents, times: ListenTimes) {
    this.#source = source
    this.#times = times
    this.#client = new DatabaseClient(source.config)
    this.#client.on('error', ignore)
    this.#client.on('notification', ({ channel, payload = '', processId }) => events.notified({ channel, payload, processId }))
    this.#client.once('end', () => {
      clearInterval(this.#lifeSigns)
      events.lost()
    })
  }

  /** @throws {SettingsError} if the source `needsSession` and a pooler answers, which may give each statement another session */
  async open (): Promise<void> {
    const { name, needsSession } = this.#source
    await this.#client.connect()
    const { rows: [row] } = await this.#run('select pg_backend_pid() as pid')
    if (needsSession && row.pid !== processOf(this.#client)) {
      const [setting, reason] = ['DATABASE_DIRECT_URL', 'is not set, but DATABASE_URL leads to a pooler: listen() needs the URL of the server itself, or of a pooler in session mode']
      throw new SettingsError(withVariablesOf(name, setting), withVariablesOf(name, reason))
    }
    this.#lifeSigns = setInterval(() => { if (!this.#isBusy) this.#run('select 1').catch(ignore) }, this.#times.lifeSignMillis).unref()
  }

  async listen (channel: string): Promise<void> {
    await this.#run(`listen ${escapeIdentifier(channel)}`)
  }

  async unlisten (channel: string): Promise<void> {
    await this.#run(`unlisten ${escapeIdentifier(channel)}`)
  }

  /** Ends the connection, and holds the process meanwhile. */
  async close (): Promise<void> {
    holdProcess(this.#client, true)
    await endInTime(this.#client)
  }

  /** Runs a statement, and holds the process meanwhile. Without an answer in time the connection is destroyed. */
  async #run (text: string) {
    this.#isBusy = true
    holdProcess(this.#client, true)
    try {
      return await answerInTime(this.#client, () => this.#client.query(text), { timeoutMillis: this.#times.answerMillis })
    } finally {
      this.#isBusy = false
      holdProcess(this.#client, false)
    }
  }
}
