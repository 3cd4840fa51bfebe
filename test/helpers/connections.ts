import { backendsOf } from './watch.js'
import type { Pool, PoolClient } from 'pg'

/** What was done with connections. */
export interface Dealings {
  /** How often one was taken from the pool. */
  readonly acquired: number
  /** How many of them were not given back, but ended. */
  readonly destroyed: number
}

/** Tells what is done with a pool's connections: each call, since the one before. */
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
