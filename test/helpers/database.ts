import { openDatabase } from '../../src/index.js'
import { createTestDatabase, expectNoLeaks } from '../../src/testing/index.js'
import { schema, tables } from './schema.js'
import type { Database, OpenOptions } from '../../src/index.js'

/** What a test gives us to register its end with: tap's `t`. */
export interface Test {
  teardown (fn: () => Promise<void>): unknown
}

/**
 * A database of the test's own with {@link tables} in it, opened; when the test ends it is checked that every connection is
 * back in the pool and no transaction stands open, then it is closed and dropped.
 */
export async function open (t: Test, options: OpenOptions = {}): Promise<Database> {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const database = await openDatabase({ connectionString, schema, ...options })
  // tap runs what is registered last first: the check, the close, and then the drop.
  t.teardown(() => database.close())
  t.teardown(() => expectNoLeaks(database))
  return database
}
