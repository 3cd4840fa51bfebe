import { ConnectionError } from '../errors/errors.js'
import { Pool } from 'pg'
import { ConnectionPool } from '../pool/connection-pool.js'
import { hide } from '../runtime/hidden-properties.js'
import { poolConfig } from '../pool/pool-config.js'
import type { ClientConfig } from 'pg'
import type { AcquireRequest } from '../pool/acquire-queue.js'
import type { Cancel } from '../pool/connection-source.js'
import type { PoolInfo } from '../channels/pool-info.js'
import type { Settings } from '../settings/settings.js'

/** A replica and its pool, for load balancers and dashboards. */
export interface ReplicaInfo {
  /** Whether it serves reads now. */
  readonly serves: boolean
  /** How old its rows may be, in milliseconds; undefined if it is unknown or beyond `maxLagMillis`. */
  readonly lagMillis: number | undefined
  readonly pool: PoolInfo
}

/** Where a replica is, and its number among them, from 1. */
export interface ReplicaPlace {
  readonly connection: Readonly<ClientConfig>
  readonly number: number
}

/** One replica: its pool, and what its watch has found out last. */
export class Replica {
  readonly pool: ConnectionPool
  /** How far it had replayed the WAL. */
  position = 0n
  readonly #maxLagMillis: number
  /** Everything that was committed before this time shows on it; undefined if it must not serve. */
  #freshAt: number | undefined
  /** The least position that a guard has missed here, until an answer shows that the replica has come that far. */
  #missed: bigint | undefined
  /** The requests that wait for a connection: they are refused when it is left out. */
  readonly #waiting = new Set<Cancel>()

  constructor (settings: Settings, { connection, number }: ReplicaPlace, { pool, maxLagMillis }: NonNullable<Settings['replicas']>) {
    const own = { ...settings, poolName: `${settings.name}/replica ${number}`, connection, pool, pg: undefined, replicas: undefined, schema: undefined, relations: undefined, queryLogger: undefined, logger: settings.logger }
    const ownSettings = Object.freeze(hide(own, 'logger'))
    this.pool = new ConnectionPool(new Pool(poolConfig(ownSettings)), ownSettings)
    this.#maxLagMillis = maxLagMillis
  }

  /** How old its rows may be now, in milliseconds; undefined if it must not serve. */
  get lagMillis (): number | undefined {
    const millis = this.#freshAt === undefined ? Infinity : performance.now() - this.#freshAt
    return millis <= this.#maxLagMillis ? millis : undefined
  }

  get info (): ReplicaInfo {
    const { lagMillis } = this
    return { serves: lagMillis !== undefined, lagMillis: lagMillis && Math.round(lagMillis), pool: this.pool.info }
  }

  /** Whether a guard for this position may succeed. */
  mayReach (position: bigint): boolean { return this.#missed === undefined || position < this.#missed }

  /** A guard has failed. No read of this position or a later one is sent here until an answer shows that the replica has come that far. */
  miss (position: bigint): void { if (this.mayReach(position)) this.#missed = position }

  /** It has answered, and may serve. */
  admit (position: bigint, freshAt: number): void {
    this.position = position
    this.#freshAt = freshAt
    if (this.#missed !== undefined && position >= this.#missed) this.#missed = undefined
  }

  /** It must not serve until it has answered again. */
  leaveOut (): void {
    this.#freshAt = undefined
    for (const cancel of this.#waiting) cancel(new ConnectionError())
  }

  /** Requests a connection; it is not refused synchronously. If none can be opened, the replica is left out. */
  acquire (request: AcquireRequest): Cancel {
    let isOver = false
    let isSynchronous = true
    const cancel: Cancel = (error) => cancelWait(error)
    const over = (): void => {
      isOver = true
      this.#waiting.delete(cancel)
    }
    const cancelWait = this.pool.acquire({
      caller: request.caller,
      mayWait: request.mayWait,
      lend: (connection) => { over(); request.lend(connection) },
      refuse: (error) => {
        over()
        if (error instanceof ConnectionError) this.leaveOut()
        if (isSynchronous) queueMicrotask(() => request.refuse(error))
        else request.refuse(error)
      }
    })
    isSynchronous = false
    if (!isOver) this.#waiting.add(cancel)
    return cancel
  }
}
