import { ClientState } from '../connection/client-state.js'
import { ConnectionError } from '../errors/errors.js'
import { destroySocket, isAtWork, requestCancel } from '../pg/client.js'
import { clientsOf, refuseWaiting, removeClient } from '../pg/pool.js'
import { List } from '../runtime/linked-list.js'
import { within } from '../runtime/within.js'
import type { Pool, PoolClient } from 'pg'
import type { TakenClient } from '../connection/client-state.js'

/**
 * The clients that pg's pool has open.
 *
 * pg-pool's own `end()` resolves before the connections are closed, never for a client that nobody gives back or that is
 * still connecting, forgets those who wait for one, and leaves the socket of one whose network is silent open, which keeps
 * the process alive.
 */
export class OpenClients {
  readonly #clients = new Set<PoolClient>()
  readonly #taken = new List<TakenClient>()
  #allGone: (() => void) | undefined
  /** Has whoever waits for the clients that were taken by hand look again. */
  #look: (() => void) | undefined

  /** Those in the hands of somebody who does not go through the sessions. */
  get taken (): Iterable<TakenClient> { return this.#taken.all() }

  /** Those among them that have something to finish: one that is kept for LISTEN is no work. */
  get atWork (): TakenClient[] { return this.#taken.all().filter(({ client }) => isAtWork(client)) }

  /** A client was checked out; by hand, unless {@link claim} says otherwise. */
  checkedOut (client: PoolClient): void {
    this.#clients.add(client)
    ClientState.of(client).taken = this.#taken.add({ client, since: performance.now() })
  }

  /** A client was checked out for a session. */
  claim (client: PoolClient): void {
    const pooled = ClientState.of(client)
    if (pooled.taken !== undefined) this.#taken.delete(pooled.taken)
    pooled.taken = undefined
  }

  /** A client was given back. */
  checkedIn (client: PoolClient): void {
    this.claim(client)
    this.#look?.()
  }

  delete (client: PoolClient): void {
    this.#clients.delete(client)
    if (this.#clients.size === 0) this.#allGone?.()
  }

  /** Resolves when those that were at work have finished, or were given back, or the time is over. */
  async finished (timeoutMillis: number): Promise<void> {
    const working = this.atWork
    if (working.length === 0) return
    const rest = new Promise<void>((resolve) => {
      this.#look = () => { if (!this.atWork.some((taken) => working.includes(taken))) resolve() }
    })
    const look = (): void => this.#look?.()
    // pg emits it when no statement is left to run.
    for (const { client } of working) client.on('drain', look)
    await within(timeoutMillis, rest)
    for (const { client } of working) client.off('drain', look)
    this.#look = undefined
  }

  /**
   * Ends what would wait for ever at the pool's end: clients that were taken by hand, those that still connect, and who asked
   * for one. The promises are those of the cancels of what the first may run; none rejects.
   */
  cut (pool: Pool, cancelMillis: number): Array<Promise<void>> {
    const cancels: Array<Promise<void>> = []
    refuseWaiting(pool, new ConnectionError('The database was closed'))
    const working = this.atWork
    for (const taken of this.#taken.all()) {
      const { client } = taken
      const isWorking = working.includes(taken)
      if (isWorking) cancels.push(requestCancel(client, cancelMillis))
      removeClient(pool, client)
      if (isWorking) destroySocket(client)
      this.claim(client)
    }
    for (const client of clientsOf(pool)) if (!this.#clients.has(client)) destroySocket(client)
    return cancels
  }

  /** Ends the pool; resolves when its connections are closed. Those that are not within the time are cut. */
  async end (pool: Pool, timeoutMillis: number): Promise<void> {
    const gone = this.#clients.size === 0 ? undefined : new Promise<void>((resolve) => { this.#allGone = resolve })
    const ended = pool.ending ? undefined : pool.end()
    await within(timeoutMillis, Promise.all([ended, gone]))
    for (const client of this.#clients) destroySocket(client)
  }
}
