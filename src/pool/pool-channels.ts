import { TracedRequest } from '../channels/acquire-trace.js'
import { acquireChannel, connectChannel, leakChannel, releaseChannel } from '../channels/channels.js'
import { messageCaller } from '../channels/messages.js'
import { openPools } from '../channels/open-pools.js'
import { placeOf, serverOf } from '../channels/place.js'
import { isWatched } from '../channels/publish.js'
import { openingMillis } from '../pg/database-client.js'
import { usageOf } from './connection-usage.js'
import type { ClientBase } from 'pg'
import type { DatabasePlace } from '../channels/messages.js'
import type { Holding, OpenPool } from '../channels/open-pools.js'
import type { Connection } from '../connection/connection.js'
import type { Settings } from '../settings/settings.js'
import type { AcquireRequest } from './acquire-queue.js'
import type { PoolInfo } from '../channels/pool-info.js'

/** The part of a pool that its channels tell of. */
export interface WatchedPool {
  readonly settings: Pick<Settings, 'name' | 'poolName'>
  /** The options of pg's pool. */
  readonly options: Parameters<typeof placeOf>[1]
  readonly checkedOut: Iterable<Connection>
  readonly info: () => PoolInfo
}

/** What a pool tells those who watch: each costs one check as long as nobody subscribes. */
export class PoolChannels implements OpenPool {
  /** The database, for the channels. */
  readonly place: DatabasePlace
  readonly pool: string
  readonly counts: () => PoolInfo
  readonly #checkedOut: Iterable<Connection>

  /** Adds the pool to the open ones. */
  constructor ({ settings: { name, poolName = name }, options, checkedOut, info }: WatchedPool) {
    this.place = placeOf(name, options)
    this.pool = poolName
    this.counts = info
    this.#checkedOut = checkedOut
    openPools.add(this)
  }

  get database (): string { return this.place.database }

  get namespace (): string | undefined { return this.place.namespace }

  get serverAddress (): string | undefined { return this.place.serverAddress }

  get serverPort (): number | undefined { return this.place.serverPort }

  holdings (): Holding[] { return Array.from(this.#checkedOut, holdingOf).sort((one, other) => other.heldMillis - one.heldMillis) }

  /** The pool is open no more. */
  close (): void { openPools.delete(this) }

  /** The request, whose wait is told. */
  acquire (request: AcquireRequest): AcquireRequest {
    return isWatched(acquireChannel) ? new TracedRequest(request, { place: this.place, pool: this.pool, waiting: this.counts().waiting }) : request
  }

  released (connection: Connection, isDestroyed: boolean): void {
    if (!releaseChannel.hasSubscribers) return
    const { caller, since, server: { namespace, serverAddress, serverPort, processId } } = connection
    const { database } = this.place
    releaseChannel.publish({
      database, namespace, serverAddress, serverPort, processId, [messageCaller]: caller, pool: this.pool, route: caller.label, heldMillis: performance.now() - since, isDestroyed
    })
  }

  readonly connected = (client: ClientBase): void => {
    if (connectChannel.hasSubscribers) connectChannel.publish({ ...this.place, ...serverOf(client), pool: this.pool, durationMillis: openingMillis(client) })
  }

  readonly leaked = (connection: Connection): void => {
    if (!leakChannel.hasSubscribers) return
    const { server, since, caller: { label }, state } = connection
    leakChannel.publish({ ...this.place, ...server, pool: this.pool, route: label, heldMillis: performance.now() - since, state, stack: usageOf(connection).stack })
  }
}

function holdingOf (connection: Connection): Holding {
  const { caller: { label }, since, state, running, server: { processId } } = connection
  return { route: label, heldMillis: performance.now() - since, state, texts: running?.texts ?? [], processId, stack: () => usageOf(connection).stack }
}
