import { destroySocket } from '../../pg/client.js'
import { ClientState } from '../../connection/client-state.js'
import type { Pool } from 'pg'
import type { Pooler } from '../../pooler/pooler.js'
import type { OpenClients } from './open-clients.js'
import type { Settings } from '../../settings/settings.js'

/** How long a connection that was idle may take to answer, in milliseconds. */
export const pingMillis = 2000

/** Checks that connections are alive: new ones, and those that were idle for a long time. */
export class LivenessCheck {
  readonly #settings: Settings['pool']
  readonly #pooler: Pooler
  /** The connections whose answer is awaited. */
  readonly #probed = new Set<ClientState>()
  /** Whether a statement on the newest connection sees the same rows outside a transaction as inside one. */
  readCommitted = true

  constructor (settings: Settings['pool'], pooler: Pooler) {
    this.#settings = settings
    this.#pooler = pooler
  }

  /** Whether a connection from the pool must be checked before it is handed over. */
  needs ({ idleMillis, isDoubtful }: ClientState): boolean {
    const { prePing, prePingAfterMillis } = this.#settings
    return idleMillis === undefined || isDoubtful || (prePing && idleMillis > prePingAfterMillis)
  }

  /** Resolves when the connection has answered; rejects when it has not answered in time. */
  async run (pooled: ClientState): Promise<void> {
    const { timeoutMillis } = this.#settings
    this.#probed.add(pooled)
    try {
      await pooled.probe(pooled.idleMillis === undefined ? timeoutMillis : Math.min(pingMillis, timeoutMillis))
      if (pooled.isPooled) await this.#pooler.found(pooled.client)
    } finally {
      this.#probed.delete(pooled)
    }
    this.readCommitted = pooled.readCommitted
  }

  /** Takes clients from the pool until one has answered and `isUseful`; rejects if a new one does not answer. */
  async next (pool: Pool, clients: OpenClients, isUseful: (pooled: ClientState) => boolean): Promise<ClientState> {
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
