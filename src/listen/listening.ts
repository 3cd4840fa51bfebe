/**
 * All listeners of a database, over one connection.
 *
 *     none ──first listener──> open ──lost──> renewing ──every channel is listened to again──> open ──last one closes──> none
 *
 * Changes of the connection run in turns, one after the other. A lost connection is renewed with growing pauses. Then each listener from before the loss gets
 * a call of `onGap`.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { ConnectionError } from '../errors/errors.js'
import { SettingsError } from '../errors/settings-error.js'
import { toDatabaseError } from '../errors/to-database-error.js'
import { pauseMillis } from '../runtime/backoff.js'
import { extendConnection } from '../settings/url/connection-string.js'
import { ignore } from '../runtime/promises.js'
import { ListenConnection, type ListenSource, type ListenTimes } from './listen-connection.js'
import type { Pool } from 'pg'
import type { Settings } from '../settings/settings.js'
import type { Listener, Notification } from './listener.js'

const usualTimes: ListenTimes = { lifeSignMillis: 10_000, answerMillis: 5000 }
const backoff = { firstMillis: 50, longestMillis: 5000, jitter: 0.5 }

/** The server itself if its URL is known, else that of the pool; without limits. */
export function listenSource ({ name, directConnection, connection, logger }: Settings, pool: Pool): ListenSource {
  const config = extendConnection(directConnection ?? connection ?? pool.options, {
    statement_timeout: false, lock_timeout: undefined, idle_in_transaction_session_timeout: undefined, query_timeout: undefined
  } as const)
  return { name, config, needsSession: directConnection === undefined, logger }
}

/** The gap since a connection was lost. */
interface Gap {
  readonly renewed: Promise<void>
  end (): void
}

export class Listening {
  readonly #source: ListenSource
  readonly #times: ListenTimes
  readonly #channels = new Map<string, Set<Listener>>()
  readonly #closed = new AbortController()
  #connection: ListenConnection | undefined
  #opening: ListenConnection | undefined
  #gap: Gap | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor (source: ListenSource, times = usualTimes) {
    this.#source = source
    this.#times = times
  }

  /** Adds a listener; resolves when PostgreSQL has confirmed it. @throws {ConnectionError} if it does not answer */
  add (channel: string, listener: Listener): Promise<void> {
    return this.#inTurn(async () => {
      const connection = await this.#connect()
      const listeners = this.#channels.get(channel)
      if (listeners !== undefined) {
        listeners.add(listener)
        return
      }
      this.#channels.set(channel, new Set([listener]))
      await connection.listen(channel).catch((error: unknown) => {
        this.#channels.delete(channel)
        throw error
      })
    }).catch((error: unknown) => { throw error instanceof SettingsError ? error : toDatabaseError(error, { context: { operation: 'listen' } }) })
  }

  /** Removes a listener, whose handler is not called again; the last one ends the connection. */
  remove (channel: string, listener: Listener): Promise<void> {
    if (listener.isClosed) return Promise.resolve()
    listener.close()
    return this.#inTurn(async () => {
      const listeners = this.#channels.get(channel)
      listeners?.delete(listener)
      if (listeners?.size !== 0) return
      this.#channels.delete(channel)
      const connection = this.#connection
      if (this.#channels.size > 0) return await connection?.unlisten(channel).catch(ignore)
      this.#connection = undefined
      await connection?.close()
    })
  }

  /** Ends the connection and every listener, whatever is under way. */
  async close (): Promise<void> {
    this.#closed.abort()
    for (const listeners of this.#channels.values()) for (const listener of listeners) listener.close()
    this.#channels.clear()
    await Promise.all([this.#connection?.close(), this.#opening?.close()])
  }

  /** The open connection, or a new one that listens to every channel. */
  async #connect (): Promise<ListenConnection> {
    if (this.#closed.signal.aborted) throw new ConnectionError('The database was closed')
    if (this.#connection !== undefined) return this.#connection
    const connection: ListenConnection = new ListenConnection(this.#source, {
      notified: (notification) => this.#notified(notification),
      lost: () => this.#lost(connection)
    }, this.#times)
    this.#opening = connection
    try {
      await connection.open()
      for (const channel of this.#channels.keys()) await connection.listen(channel)
    } catch (error) {
      await connection.close()
      throw error
    } finally {
      this.#opening = undefined
    }
    this.#connection = connection
    this.#gap?.end()
    this.#gap = undefined
    return connection
  }

  #notified (notification: Notification): void {
    for (const [channel, listeners] of this.#channels) {
      if (channel === notification.channel) for (const listener of listeners) listener.deliver(notification)
    }
  }

  #lost (connection: ListenConnection): void {
    if (connection !== this.#connection || this.#closed.signal.aborted) return
    this.#connection = undefined
    this.#source.logger.warn({}, 'the connection for notifications was lost, and is opened again')
    const gap = newGap()
    this.#gap = gap
    for (const listeners of this.#channels.values()) for (const listener of listeners) listener.tellGap(gap.renewed)
    this.#renew(gap)
  }

  /** Tries again until the connection listens, or no listener is left. */
  async #renew (gap: Gap): Promise<void> {
    const { signal } = this.#closed
    for (let attempt = 1; this.#gap === gap && this.#channels.size > 0 && !signal.aborted; attempt++) {
      await this.#inTurn(() => this.#connect()).catch((err: Error) => this.#source.logger.debug({ err }, 'the connection for notifications could not be opened yet'))
      if (this.#gap === gap) await wait(pauseMillis(backoff, attempt), undefined, { signal, ref: false }).catch(ignore)
    }
  }

  #inTurn<Result> (fn: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(fn)
    this.#turn = result.catch(ignore)
    return result
  }
}

function newGap (): Gap {
  let end = ignore
  const renewed = new Promise<void>((resolve) => { end = resolve })
  return { renewed, end }
}
