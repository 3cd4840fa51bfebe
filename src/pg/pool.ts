import type { Pool, PoolClient } from 'pg'

// What pg's pool knows of its clients, and of those who wait for one; missing from its type declarations.

interface PoolInternals {
  /** Those on their way included. */
  readonly _clients: readonly PoolClient[]
  readonly _pendingQueue: Array<{ callback (error: Error): void }>
  _remove (client: PoolClient): void
}

/** The clients that the pool has, those on their way included. */
export function clientsOf (pool: Pool): readonly PoolClient[] {
  return (pool as unknown as PoolInternals)._clients
}

/** Refuses those who wait for a client. */
export function refuseWaiting (pool: Pool, error: Error): void {
  for (const { callback } of (pool as unknown as PoolInternals)._pendingQueue.splice(0)) callback(error)
}

/** Has the pool forget a client and end it; that it is released later does no harm. */
export function removeClient (pool: Pool, client: PoolClient): void {
  (pool as unknown as PoolInternals)._remove(client)
}
