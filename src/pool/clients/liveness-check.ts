import { destroySocket, isOrdinary } from '../../pg/client.js'
import { ClientState } from '../../connection/client-state.js'
import type { Pool } from 'pg'
import type { Pooler } from '../../pooler/pooler.js'
import type { OpenClients } from './open-clients.js'
import type { Settings } from '../../settings/settings.js'

/** How long a connection that was idle may take to answer, in milliseconds. */
export const pingMillis = 2000

/** The parts that {@link LivenessCheck} needs. */
export interface LivenessParts {
  readonly pool: Pool
  readonly settings: Settings['pool']
  readonly clients: OpenClients
  readonly pooler: Pooler
  /** Whether a client that was checked may be lent. */
  readonly isUseful: (pooled: ClientState) => boolean
}

/** Checks that connections are alive: those that were idle for a long time, and new ones that need not be like the one before. */
export class LivenessCheck {
  readonly #parts: LivenessParts
  /** The connections whose answer is awaited. */
  readonly #probed = new Set<ClientState>()
  /** The isolation level of the newest connection that was checked, if the next one is probably like it. */
  #usualIsolation: string | undefined
  /** Whether a statement on the newest connection sees the same rows outside a transaction as inside one. */
  readCommitted = true

  constructor (parts: LivenessParts) {
    this.#parts = parts
  }

  /** Whether a connection from the pool must be checked: a new one, a doubtful one, and one that was idle for long. */
  needs ({ idleMillis, isDoubtful }: ClientState): boolean {
    const { prePing, prePingAfterMillis } = this.#parts.settings
    return idleMillis === undefined || isDoubtful || (prePing && idleMillis > prePingAfterMillis)
  }

  /** Defers the check of a new connection to its first statements; `false` if it is not known what to expect, or the connection is not new. */
  defers (pooled: ClientState): boolean {
    const isPossible = pooled.idleMillis === undefined && !pooled.isDoubtful && isOrdinary(pooled.client)
    if (!isPossible || this.#usualIsolation === undefined) return false
    pooled.expect(this.#usualIsolation)
    return true
  }

  /** Resolves when the connection has answered; rejects when it has not answered in time. */
  async run (pooled: ClientState): Promise<void> {
    const { settings: { timeoutMillis }, pooler } = this.#parts
    this.#probed.add(pooled)
    try {
      await pooled.probe(pooled.idleMillis === undefined ? timeoutMillis : Math.min(pingMillis, timeoutMillis))
      if (pooled.isPooled) await pooler.found(pooled.client)
    } finally {
      this.#probed.delete(pooled)
    }
    this.readCommitted = pooled.readCommitted
    this.#usualIsolation = pooler.isThere ? undefined : pooled.usualIsolation
  }

  /** Resolves with another client, which has just been checked: clients that were idle as long as the lost one may be lost, too. */
  readonly replace = async (lost: ClientState): Promise<ClientState> => {
    lost.release(true)
    return await this.#next()
  }

  /** Resolves with the same client when it is known how it is; with another one if it does not answer. */
  readonly prove = async (pooled: ClientState): Promise<ClientState> => {
    try {
      await this.run(pooled)
    } catch (error) {
      pooled.lost ??= error as Error
      return await this.replace(pooled)
    }
    return pooled
  }

  /** Takes clients from the pool until one has answered and is useful; rejects if a new one does not answer. */
  async #next (): Promise<ClientState> {
    const { pool, clients, isUseful } = this.#parts
    for (;;) {
      const client = await pool.connect()
      clients.claim(client)
      const pooled = ClientState.of(client)
      const isNew = pooled.idleMillis === undefined
      try {
        if (pooled.status === 'I') {
          await this.run(pooled)
          if (isUseful(pooled)) return pooled
        }
      } catch (error) {
        if (isNew) {
          pooled.release(true)
          throw error
        }
      }
      pooled.release(true)
    }
  }

  /** Destroys the connections that are being checked. */
  end (): void {
    for (const { client } of this.#probed) destroySocket(client)
  }
}
