import type { Pool, PoolClient } from 'pg'

// Properties of pg's pool that its type declarations lack.

interface PoolInternals {
  /** Includes clients that are still connecting. */
  readonly _clients: readonly PoolClient[]
  readonly _idle: ReadonlyArray<{ readonly client: PoolClient }>
  /** Clients that the pool ends when they are released. */
  readonly _expired: WeakSet<PoolClient>
  readonly _pendingQueue: Array<{ callback (error: Error): void }>
  _remove (client: PoolClient): void
}

/** The pool's clients, including those that are still connecting. */
export function clientsOf (pool: Pool): readonly PoolClient[] {
  return (pool as unknown as PoolInternals)._clients
}

/** Refuses the requests that wait for a client. */
export function refuseWaiting (pool: Pool, error: Error): void {
  for (const { callback } of (pool as unknown as PoolInternals)._pendingQueue.splice(0)) callback(error)
}

/** Removes a client from the pool and ends it; a later release does no harm. */
export function removeClient (pool: Pool, client: PoolClient): void {
  (pool as unknown as PoolInternals)._remove(client)
}

/** Ends a client at once if it is idle; returns whether it was. */
export function endIdle (pool: Pool, client: PoolClient): boolean {
  const isIdle = (pool as unknown as PoolInternals)._idle.some((item) => item.client === client)
  if (isIdle) removeClient(pool, client)
  return isIdle
}

/** Ends a client when it is released. */
export function endWhenReleased (pool: Pool, client: PoolClient): void {
  (pool as unknown as PoolInternals)._expired.add(client)
}
