import { DatabaseClient } from '../pg/database-client.js'
import { longestSeconds } from '../runtime/timers.js'
import { extendConnection } from '../settings/url/connection-string.js'
import type { PoolConfig } from 'pg'
import type { Settings } from '../settings/settings.js'

/**
 * The options of pg's pool, for the core and for `@fastify/postgres`.
 * Idle connections do not keep the process alive: a script that forgets to close its database still ends.
 */
export function poolConfig ({ connection = {}, pool }: Settings): PoolConfig {
  return extendConnection(connection, { Client: DatabaseClient, min: pool.size, max: pool.max, maxLifetimeSeconds: jittered(pool.recycleSeconds), allowExitOnIdle: true })
}

/** A lifetime up to 10 % shorter or longer, so that connections are not all renewed at once. */
export function jittered (recycleSeconds: number): number {
  return Math.min(recycleSeconds * (0.9 + Math.random() * 0.2), longestSeconds)
}
