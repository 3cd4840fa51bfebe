import { destroySocket } from './message-group.js'
import { within } from './within.js'
import type { Pool, PoolClient } from 'pg'

/**
 * The clients that pg's pool has open.
 *
 * pg-pool's own `end()` resolves before the connections are closed, never for a client that nobody gives back, and leaves
 * the socket of one whose network is silent open, which keeps the process alive.
 */
export class OpenClients {
  readonly #clients = new Set<PoolClient>()
  #allGone: (() => void) | undefined

  add (client: PoolClient): void {
    this.#clients.add(client)
  }

  delete (client: PoolClient): void {
    this.#clients.delete(client)
    if (this.#clients.size === 0) this.#allGone?.()
  }

  /** Ends the pool; resolves when its connections are closed. Those that are not within the time are cut. */
  async end (pool: Pool, timeoutMillis: number): Promise<void> {
    const gone = this.#clients.size === 0 ? undefined : new Promise<void>((resolve) => { this.#allGone = resolve })
    const ended = pool.ending ? undefined : pool.end()
    await within(timeoutMillis, Promise.all([ended, gone]))
    for (const client of this.#clients) destroySocket(client)
  }
}
