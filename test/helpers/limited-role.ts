import { createTestDatabase } from '../../src/testing/index.js'
import { withTables } from './schema.js'
import type { Test } from './test.js'

/** A user of the test, for whom the server allows a limited number of connections. */
export interface LimitedRole {
  readonly connectionString: string
  /** Changes the limit. */
  allow (connections: number): Promise<void>
}

/** A database with {@link tables} in it, and a user whose connections the server limits; superusers have no such limit. */
export async function createLimitedRole (t: Test, connections: number): Promise<LimitedRole> {
  const { connectionString, database } = await createTestDatabase(t, withTables)
  const url = new URL(connectionString)
  const role = `limited_${url.pathname.slice(1)}`.slice(0, 63)
  await database.pool.query(`create role ${role} login connection limit ${connections} password 'limited'; grant all on all tables in schema public to ${role}`)
  t.teardown(() => database.pool.query(`drop owned by ${role}; drop role ${role}`))
  url.username = role
  url.password = 'limited'
  return {
    connectionString: url.href,
    async allow (connections) { await database.pool.query(`alter role ${role} connection limit ${connections}`) }
  }
}
