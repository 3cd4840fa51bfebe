import { setImmediate as turn } from 'node:timers/promises'
import { expectNoLeaks } from '../../src/testing/index.js'
import { watchSent } from './sent.js'
import type { Pool, PoolClient } from 'pg'
import type { Test } from './test.js'

/** The transaction statements that one connection has sent. */
interface Tally {
  begun: number
  ended: number
}

/** How a pool is watched. */
export interface WatchOptions {
  /** A URL of its PostgreSQL that works at the end of the test, if it differs from the pool's; `false` if there is none. */
  readonly url?: string | false
  /** The time allowed for work in the background, in milliseconds: a backend has to notice that its client is gone. */
  readonly graceMillis?: number
}

/**
 * Watches a pool from now on, and checks the invariants of every test: connections acquired = released, no backend idle in a transaction, and on each
 * connection no more commits and rollbacks sent than transactions begun. tap itself checks that the process lives, and that no rejection was unhandled.
 */
export function watchPool (t: Test, pool: Pool, { url, graceMillis = 5000 }: WatchOptions = {}): void {
  let lent = pool.totalCount - pool.idleCount
  const tallies: Tally[] = []
  pool.on('acquire', () => { lent++ })
  pool.on('release', () => { lent-- })
  const watchClient = (client: PoolClient): void => { tallies.push(tallyOf(client)) }
  for (const client of clientsOf(pool)) watchClient(client)
  pool.on('connect', watchClient)

  const direct: Pool = url === undefined || url === false ? pool : Object.create(pool, { options: { value: { connectionString: url } } })
  t.teardown(() => eventually(graceMillis, async () => {
    if (lent !== 0) throw new Error(`${lent} connections were acquired and not released`)
    for (const { begun, ended } of tallies) {
      if (ended > begun) throw new Error(`A connection was sent ${ended} commits and rollbacks, for ${begun} transactions`)
    }
    if (url !== false) await expectNoLeaks({ pool: direct })
  }))
}

/** Every client of a pool, idle or checked out; only pg-pool's own list has them. */
export function clientsOf (pool: Pool): Array<PoolClient & { readonly processID: number }> {
  return (pool as unknown as { _clients: Array<PoolClient & { processID: number }> })._clients
}

/** The backends of a pool: the same ones if its connections were reused, others if they were destroyed. */
export function backendsOf (pool: Pool): number[] {
  return clientsOf(pool).map(({ processID }) => processID)
}

/** Counts the statements that a client sends from now on. */
function tallyOf (client: PoolClient): Tally {
  const tally: Tally = { begun: client.getTransactionStatus() === 'T' ? 1 : 0, ended: 0 }
  watchSent(client, (text) => {
    // Text between dollar quotes is the body of a function, whose BEGIN and END belong to no transaction.
    for (const statement of text.replace(/\$\$.*?\$\$/gs, '').split(';')) {
      if (/^\s*(begin|start transaction)\b|\band chain\b/i.test(statement)) tally.begun++
      if (/^\s*(commit|end|abort|rollback)\b(?!\s+(to|prepared)\b)|^\s*prepare transaction\b/i.test(statement)) tally.ended++
    }
  })
  return tally
}

/** Resolves when a check passes; rejects with its last error if it does not pass in time. */
async function eventually (graceMillis: number, check: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + graceMillis
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await turn()
    }
  }
}
