import { ignore } from '../runtime/promises.js'
import { jittered } from './pool-config.js'
import { ClientState } from '../connection/client-state.js'
import type { EventEmitter } from 'node:events'
import type { Pool, PoolClient } from 'pg'
import type { Settings } from '../settings/settings.js'
import type { OpenClients } from './clients/open-clients.js'

/** The parts that {@link followPool} updates, and those that it logs. */
export interface PoolObserver {
  readonly settings: Settings
  readonly clients: OpenClients
  /** Counts of the pool. */
  readonly info: () => object
  /** Called when a connection was opened. */
  readonly opened: (client: PoolClient) => void
}

/** Listens to the events of pg's pool; the returned function removes the listeners. */
export function followPool (pool: Pool, { settings, clients, info, opened }: PoolObserver): () => void {
  const echo = (event: string): void => {
    if (settings.pool.echo) settings.logger.info({ event, ...info() }, 'pool event')
  }
  const listeners = {
    connect: (client: PoolClient) => {
      // pg-pool reads this for each connection that it opens.
      if (settings.pg === undefined) pool.options.maxLifetimeSeconds = jittered(settings.pool.recycleSeconds)
      opened(client)
      echo('connect')
    },
    // Clients that the pool had before, and those that a program checks out, get their listeners here.
    acquire: (client: PoolClient) => {
      ClientState.of(client)
      clients.checkedOut(client)
      echo('acquire')
    },
    release: (_error: unknown, client: PoolClient) => {
      clients.checkedIn(client)
      echo('release')
    },
    remove: (client: PoolClient) => {
      clients.delete(client)
      echo('remove')
    },
    // An error of an idle client must never end the process.
    error: ignore
  }
  const events: EventEmitter = pool
  for (const [event, listener] of Object.entries(listeners)) events.on(event, listener)
  return () => {
    for (const [event, listener] of Object.entries(listeners)) events.off(event, listener)
  }
}
