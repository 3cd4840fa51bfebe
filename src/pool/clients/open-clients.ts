import { ClientState } from '../../connection/client-state.js'
import { ConnectionError } from '../../errors/errors.js'
import { destroySocket, isAtWork, placeOf, requestCancel } from '../../pg/client.js'
import { clientsOf, endIdle, endWhenReleased, refuseWaiting, removeClient } from '../../pg/pool.js'
import { List } from '../../runtime/linked-list.js'
import { within } from '../../runtime/promises.js'
import type { Pool, PoolClient } from 'pg'
import type { TakenClient } from '../../connection/client-state.js'

/** The shortest time between two renewals, in milliseconds. */
const renewalMillis = 1000

/**
 * The clients that pg's pool has open.
 *
 * pg-pool's own `end()` resolves before the connections are closed. It never resolves for a client that is not released or that
 * is still connecting, it forgets waiters, and it leaves a socket open if the network is silent, which keeps the process alive.
 */
export class OpenClients {
  readonly #clients = new Set<PoolClient>()
  readonly #taken = new List<TakenClient>()
  #renewableFrom = 0
  #allClosed: (() => void) | undefined
  /** Checks again whether the clients of `pool.connect()` have finished. */
  #check: (() => void) | undefined

  /** The clients that were checked out by `pool.connect()`. */
  get taken (): Iterable<TakenClient> { return this.#taken.all() }

  /** Those of them that run a statement or a transaction; a client that is kept for LISTEN does not. */
  get atWork (): TakenClient[] { return this.#taken.all().filter(({ client }) => isAtWork(client)) }

  /** A client was checked out: by `pool.connect()`, unless {@link claim} follows. */
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

  /** A client was released. */
  checkedIn (client: PoolClient): void {
    this.claim(client)
    this.#check?.()
  }

  delete (client: PoolClient): void {
    this.#clients.delete(client)
    if (this.#clients.size === 0) this.#allClosed?.()
  }

  /**
   * Replaces the client of a server that does not accept writes any more, and with it all others at its address: the next ones
   * are connected anew, and find the new primary. Those in use end when they are released. At most once in a while, because a
   * server that never accepts writes would lose its connections with each attempt.
   */
  renew (pool: Pool, pooled: ClientState): boolean {
    // An earlier renewal has covered it.
    if (pooled.isOutdated) return false
    pooled.isOutdated = true
    if (performance.now() < this.#renewableFrom) return false
    this.#renewableFrom = performance.now() + renewalMillis
    this.endIdle(pool, pooled)
    for (const client of this.#beside(pooled)) {
      ClientState.of(client).isOutdated = true
      endWhenReleased(pool, client)
    }
    return true
  }

  /** Ends the idle clients at the address of a lost one. If that one was silent, a check of each of the others would wait, too. */
  endIdle (pool: Pool, lost: ClientState): void {
    for (const client of this.#beside(lost)) if (endIdle(pool, client)) destroySocket(client)
  }

  /** The clients at the same address. */
  #beside ({ client }: ClientState): PoolClient[] {
    const place = placeOf(client)
    return [...this.#clients].filter((other) => placeOf(other) === place)
  }

  /** Resolves when the clients that are at work have finished or were released, or the time is over. */
  async finished (timeoutMillis: number): Promise<void> {
    const working = this.atWork
    if (working.length === 0) return
    const rest = new Promise<void>((resolve) => {
      this.#check = () => { if (!this.atWork.some((taken) => working.includes(taken))) resolve() }
    })
    const check = (): void => this.#check?.()
    // pg emits it when no statement is left to run.
    for (const { client } of working) client.on('drain', check)
    await within(timeoutMillis, rest)
    for (const { client } of working) client.off('drain', check)
    this.#check = undefined
  }

  /**
   * Ends everything that would keep pg's pool from ending: clients of `pool.connect()`, clients that still connect, and waiters.
   * The promises resolve when cancel requests for running statements were delivered; none rejects. A pooler ignores the request of
   * a client that has left, so clients of one (`isPooled`) end after it.
   */
  cut (pool: Pool, cancelMillis: number, isPooled: boolean): Array<Promise<void>> {
    const cancels: Array<Promise<void>> = []
    refuseWaiting(pool, new ConnectionError('The database was closed'))
    const working = this.atWork
    for (const taken of this.#taken.all()) {
      const { client } = taken
      this.claim(client)
      if (working.includes(taken)) cancels.push(cutOff(pool, client, { cancelMillis, isPooled }))
      else removeClient(pool, client)
    }
    for (const client of clientsOf(pool)) if (!this.#clients.has(client)) destroySocket(client)
    return cancels
  }

  /** Ends the pool; resolves when its connections are closed. Connections that are not closed in time are destroyed. */
  async end (pool: Pool, timeoutMillis: number): Promise<void> {
    const closed = this.#clients.size === 0 ? undefined : new Promise<void>((resolve) => { this.#allClosed = resolve })
    const ended = pool.ending ? undefined : pool.end()
    await within(timeoutMillis, Promise.all([ended, closed]))
    for (const client of this.#clients) destroySocket(client)
  }
}

/** Cancels what a client runs, and destroys its connection. */
async function cutOff (pool: Pool, client: PoolClient, { cancelMillis, isPooled }: { cancelMillis: number, isPooled: boolean }): Promise<void> {
  const cancelled = requestCancel(client, cancelMillis)
  if (isPooled) await cancelled
  removeClient(pool, client)
  destroySocket(client)
  await cancelled
}
