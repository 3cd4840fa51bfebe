import { DatabaseClient } from '../pg/database-client.js'
import { UsageError } from '../errors/errors.js'
import { applicationName, SandboxPool } from './sandbox/sandbox-pool.js'
import type { Pool } from 'pg'
import type { SessionContext } from '../session/transaction/session-context.js'

/**
 * Fails a test that left a connection checked out or a transaction open. In a sandbox, it looks for an open transaction in the sandbox.
 *
 * @throws UsageError when the argument is not a database; Error that lists the leaks. Its `cause` has the open transactions with their last statements
 *
 * @example
 * t.after(() => expectNoLeaks(server.db))
 */
export async function expectNoLeaks (database: { readonly pool: Pool, readonly host?: SessionContext }): Promise<void> {
  const { pool, host } = (database as Partial<typeof database> | null | undefined) ?? {}
  if (pool?.options === undefined) throw new UsageError('expectNoLeaks() takes a database: of openDatabase(), or server.db')
  await host?.pool.arrived()
  const { totalCount, idleCount, options } = pool
  const sandbox = host?.pool instanceof SandboxPool ? host.pool : undefined
  // The sandbox holds one connection by itself.
  const checkedOut = totalCount - idleCount - (sandbox?.holdsConnection === true ? 1 : 0)
  const open = await openTransactions(options)
  if (checkedOut === 0 && open.length === 0 && sandbox?.holder === undefined) return

  const pids = open.map(({ pid }) => pid).join(', ')
  throw new Error([
    'The test leaks:',
    ...(checkedOut > 0 ? [`${checkedOut} of ${totalCount} connections were not released (close each session, end each stream);`] : []),
    ...(sandbox?.holder === undefined ? [] : [`a transaction of ${sandbox.holder} is open in the sandbox: end it;`]),
    ...(open.length > 0 ? [`${open.length} transactions are open and idle (backend ${pids}): commit them or roll them back;`] : [])
  ].join(' '), { cause: open })
}

async function openTransactions (config: Pool['options']): Promise<Array<{ pid: number, query: string }>> {
  const client = new DatabaseClient(config)
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
