import { destroySocket } from './message-group.js'
import { within } from './within.js'
import type { Pool, PoolClient } from 'pg'

/** A client that somebody took from pg's pool with `pool.connect()`. */
export interface TakenClient {
  readonly client: PoolClient
  /** When, on the clock of `performance.now()`. */
  readonly since: number
}

/** What pg's pool knows of its clients, those on their way included; missing from its type declarations. */
interface PoolInternals {
  readonly _clients: readonly PoolClient[]
  /** Forgets a client and ends it; that it is released later does no harm. */
  _remove (client: PoolClient): void
}

/**
 * The clients that pg's pool has open.
 *
 * pg-pool's own `end()` resolves before the connections are closed, never for a client that nobody gives back or that is
 * still connecting, and leaves the socket of one whose network is silent open, which keeps the process alive.
 */
export class OpenClients {
  readonly #clients = new Set<PoolClient>()
  readonly #taken = new Map<PoolClient, TakenClient>()
  #allGone: (() => void) | undefined
  #allReturned: (() => void) | undefined

  /** Those in the hands of somebody who does not go through the sessions. */
  get taken (): Iterable<TakenClient> { return this.#taken.values() }

  /** A client was checked out; by hand, unless {@link claim} says otherwise. */
  checkedOut (client: PoolClient): void {
    this.#clients.add(client)
    this.#taken.set(client, { client, since: performance.now() })
  }

  /** A client was checked out for a session. */
  claim (client: PoolClient): void {
    this.#taken.delete(client)
  }

  /** A client was given back. */
  checkedIn (client: PoolClient): void {
    this.#taken.delete(client)
    if (this.#taken.size === 0) this.#allReturned?.()
  }

  delete (client: PoolClient): void {
    this.#clients.delete(client)
    if (this.#clients.size === 0) this.#allGone?.()
  }

  /** Resolves when all that were taken by hand are given back, or the time is over. */
  async returned (timeoutMillis: number): Promise<void> {
    if (this.#taken.size > 0) await within(timeoutMillis, new Promise<void>((resolve) => { this.#allReturned = resolve }))
  }

  /** Ends what would keep `pool.end()` waiting for ever: clients that were taken by hand, which are told, and those that still connect. */
  cut (pool: Pool): TakenClient[] {
    const left = [...this.#taken.values()]
    const internals = pool as unknown as PoolInternals
    for (const { client } of left) {
      internals._remove(client)
      destroySocket(client)
    }
    for (const client of internals._clients) if (!this.#clients.has(client)) destroySocket(client)
    this.#taken.clear()
    return left
  }

  /** Ends the pool; resolves when its connections are closed. Those that are not within the time are cut. */
  async end (pool: Pool, timeoutMillis: number): Promise<void> {
    const gone = this.#clients.size === 0 ? undefined : new Promise<void>((resolve) => { this.#allGone = resolve })
    const ended = pool.ending ? undefined : pool.end()
    await within(timeoutMillis, Promise.all([ended, gone]))
    for (const client of this.#clients) destroySocket(client)
  }
}
