import { Client } from 'pg'
import type { Pool } from 'pg'

/**
 * Makes a test fail that left something behind: a connection that was not given back to the pool, or a transaction that nobody ended.
 *
 * @throws Error that tells what leaked; its `cause` lists the open transactions with their last statements
 *
 * @example
 * t.after(() => expectNoLeaks(server.db))
 */
export async function expectNoLeaks (database: { readonly pool: Pool }): Promise<void> {
  const { totalCount, idleCount, options } = database.pool
  const checkedOut = totalCount - idleCount
  const open = await openTransactions(options)
  if (checkedOut === 0 && open.length === 0) return

  const pids = open.map(({ pid }) => pid).join(', ')
  throw new Error([
    'The test leaks:',
    ...(checkedOut > 0 ? [`${checkedOut} of ${totalCount} connections were not given back to the pool (close each session, end each stream);`] : []),
    ...(open.length > 0 ? [`${open.length} transactions are open and idle (backend ${pids}): commit or roll them back;`] : [])
  ].join(' '), { cause: open })
}

async function openTransactions (config: Pool['options']): Promise<Array<{ pid: number, query: string }>> {
  const client = new Client(config)
  await client.connect()
  try {
    const { rows } = await client.query<{ pid: number, query: string }>(
      "select pid, query from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'"
    )
    return rows
  } finally {
    await client.end()
  }
}
