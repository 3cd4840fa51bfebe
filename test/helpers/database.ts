import { openDatabase } from '../../src/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { wayTo } from './through-pooler.js'
import { startProxy } from './proxy.js'
import { declared, withTables } from './schema.js'
import { watchPool } from './watch.js'
import type { Database, OpenOptions } from '../../src/index.js'
import type { Proxy } from './proxy.js'
import type { Test } from './test.js'

/** On a busy machine any statement may be slow; the log of tests about other things must not show it. */
export const unhurried = { slowQueryMillis: 3_600_000 } as const

/**
 * Opens a new database with {@link tables}. At the end of the test it checks that nothing was left behind ({@link watchPool}),
 * then closes and drops the database.
 */
export async function open (t: Test, options: OpenOptions = {}): Promise<Database> {
  const { connectionString } = await createTestDatabase(t, withTables)
  return await openOver(t, { url: connectionString, way: await wayTo(t, connectionString) }, options)
}

/** The same over a network that fails on demand. */
export async function openByProxy (t: Test, options: OpenOptions = {}): Promise<{ database: Database, proxy: Proxy }> {
  const { connectionString } = await createTestDatabase(t, withTables)
  const proxy = await startProxy(t, connectionString)
  return { database: await openOver(t, { url: connectionString, way: proxy.connectionString }, options), proxy }
}

async function openOver (t: Test, { url, way }: { url: string, way: string }, options: OpenOptions): Promise<Database> {
  const database = await openDatabase({ connectionString: way, ...declared, ...unhurried, ...options })
  // tap runs the teardown registered last first: the check, the close, and then the drop.
  t.teardown(() => database.close())
  watchPool(t, database.pool, { url })
  return database
}
