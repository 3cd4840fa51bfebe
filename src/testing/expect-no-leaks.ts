import { Client } from 'pg'
import { UsageError } from '../errors/errors.js'
import { applicationName, SandboxPool } from './sandbox/sandbox-pool.js'
import type { Pool } from 'pg'
import type { SessionContext } from '../session/session-context.js'

/**
 * Makes a test fail that left something behind: a connection that was not given back to the pool, or a transaction that nobody ended.
 * In a sandbox, a transaction in it.
 *
 * @throws UsageError for what is no database; Error that tells what leaked; its `cause` lists the open transactions with their last statements
 *
 * @example
 * t.after(() => expectNoLeaks(server.db))
 */
export async function expectNoLeaks (database: { readonly pool: Pool, readonly host?: SessionContext }): Promise<void> {
  const { pool, host } = (database as Partial<typeof database> | null | undefined) ?? {}
  if (pool?.options === undefined) throw new UsageError('expectNoLeaks() takes a database: that of openDatabase(), or server.db')
  await host?.pool.arrived()
  const { totalCount, idleCount, options } = pool
  const sandbox = host?.pool instanceof SandboxPool ? host.pool : undefined
  // The connection of a sandbox is its own.
  const checkedOut = totalCount - idleCount - (sandbox?.holdsConnection === true ? 1 : 0)
  const open = await openTransactions(options)
  if (checkedOut === 0 && open.length === 0 && sandbox?.holder === undefined) return

  const pids = open.map(({ pid }) => pid).join(', ')
  throw new Error([
    'The test leaks:',
    ...(checkedOut > 0 ? [`${checkedOut} of ${totalCount} connections were not given back to the pool (close each session, end each stream);`] : []),
    ...(sandbox?.holder === undefined ? [] : [`a transaction of ${sandbox.holder} is open in the sandbox: settle it;`]),
    ...(open.length > 0 ? [`${open.length} transactions are open and idle (backend ${pids}): commit or roll them back;`] : [])
  ].join(' '), { cause: open })
}

async function openTransactions (config: Pool['options']): Promise<Array<{ pid: number, query: string }>> {
  const client = new Client(config)
  await client.connect()
  try {
    const { rows } = await client.query<{ pid: number, query: string }>(
      "select pid, query from pg_stat_activity where datname = current_database() and state like 'idle in transaction%' and application_name <> $1",
      [applicationName]
    )
    return rows
  } finally {
    await client.end()
  }
}
