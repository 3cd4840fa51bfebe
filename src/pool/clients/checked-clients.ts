import { ClientState } from '../../connection/client-state.js'
import type { Pool, PoolClient } from 'pg'
import type { Pooler } from '../../pooler/pooler.js'
import type { Settings } from '../../settings/settings.js'
import type { LivenessCheck } from './liveness-check.js'
import type { OpenClients } from './open-clients.js'

const releasedInTransaction = 'a connection was released inside a transaction, which is rolled back: code that uses pool.connect() must end its transaction'

/** The parts that {@link CheckedClients} needs, and three callbacks: one of them is called for each client that it takes. */
export interface CheckedClientsParts {
  readonly pool: Pool
  readonly settings: Settings
  readonly clients: OpenClients
  readonly liveness: LivenessCheck
  readonly pooler: Pooler
  /** How many clients are on their way. */
  readonly coming: () => number
  readonly ready: (pooled: ClientState) => void
  /** The client was of no use: another one may be taken. */
  readonly useless: () => void
  /** No connection could be opened. */
  readonly failed: (error: Error) => void
}

/** How often a client is passed on before it goes back to pg's pool, which then applies its own rules: the age at which a client is replaced. */
const mostPasses = 100

/** Takes clients from pg's pool, checks new ones, and those that were idle for a long time. */
export class CheckedClients {
  readonly #parts: CheckedClientsParts
  /** The clients that are passed on in the next tick. */
  readonly #passed: ClientState[] = []

  constructor (parts: CheckedClientsParts) {
    this.#parts = parts
  }

  /** Takes a client. A callback gets it, or the reason why there is none. */
  take (): void { this.#parts.pool.connect(this.#arrived) }

  /**
   * Passes a client that is released on to whoever waits, in the next tick; `false` if it has to go back to pg's pool first. The way
   * through that pool takes a timer, several listeners and events, and two calls into Node's native code. A pool of the program is not
   * passed by, and neither is one whose events are logged.
   */
  passOn (pooled: ClientState): boolean {
    const { pool, settings, liveness } = this.#parts
    if (settings.pg !== undefined || settings.pool.echo || pool.waitingCount > 0 || pooled.passes >= mostPasses || liveness.needs(pooled)) return false
    pooled.passes++
    if (this.#passed.push(pooled) === 1) process.nextTick(this.#arrive)
    return true
  }

  readonly #arrive = (): void => { for (const pooled of this.#passed.splice(0)) this.#parts.ready(pooled) }

  readonly #arrived = (error: Error | undefined, client: PoolClient | undefined): void => {
    const { pooler, pool, coming, clients } = this.#parts
    if (client === undefined) {
      if (pooler.drops(error, pool, coming())) return this.#parts.useless()
      return this.#parts.failed(error as Error)
    }
    clients.claim(client)
    this.#admit(ClientState.of(client))
  }

  #admit (pooled: ClientState): void {
    const { pool, settings, clients, liveness, ready } = this.#parts
    if (pooled.status !== 'I') {
      settings.logger.warn({}, releasedInTransaction)
      return this.#drop(pooled)
    }
    if (!liveness.needs(pooled) || liveness.defers(pooled)) return ready(pooled)
    const isNew = pooled.idleMillis === undefined
    liveness.run(pooled).then(() => ready(pooled), (error: Error) => {
      // A connection that died while it was idle is replaced. If a new one fails, the next would fail, too.
      if (!isNew) {
        if (pooled.isSilent && settings.pg === undefined) clients.endIdle(pool, pooled)
        return this.#drop(pooled)
      }
      pooled.release(true)
      this.#parts.failed(error)
    })
  }

  #drop (pooled: ClientState): void {
    pooled.release(true)
    this.#parts.useless()
  }
}
