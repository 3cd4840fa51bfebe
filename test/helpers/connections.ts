import { backendsOf } from './watch.js'
import type { Pool, PoolClient } from 'pg'

/** The use of connections. */
export interface Dealings {
  /** The number of connections taken from the pool. */
  readonly acquired: number
  /** The number of connections that were destroyed instead of returned. */
  readonly destroyed: number
}

/** Counts the use of a pool's connections; each call returns the counts since the previous call. */
export function connectionsOf ({ pool }: { readonly pool: Pool }): () => Dealings {
  let taken: number[] = []
  pool.on('acquire', (client: PoolClient) => { taken.push((client as PoolClient & { processID: number }).processID) })
  return () => {
    const left = backendsOf(pool)
    const dealings = { acquired: taken.length, destroyed: new Set(taken.filter((pid) => !left.includes(pid))).size }
    taken = []
    return dealings
  }
}
