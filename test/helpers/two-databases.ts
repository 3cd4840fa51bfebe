import Fastify from 'fastify'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import dataAccess from '../../plugins/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { unhurried } from './database.js'
import { isDrizzle1, related } from './drizzle.js'
import { startProxy } from './proxy.js'
import { declared, withTables } from './schema.js'
import { watchPool } from './watch.js'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { DataAccessOptions, Database } from '../../plugins/index.js'
import type { Proxy } from './proxy.js'
import type { Test } from './test.js'

/** A table of the second database. */
export const invoices = pgTable('invoices', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  email: text().notNull(),
  amount: integer().notNull().default(0)
})

const billingSchema = isDrizzle1 ? { relations: related({ invoices }, () => ({})) } : { schema: { invoices } }

/** The same in SQL, with a constraint that is checked at COMMIT. */
const billingTables = `
  create table invoices (
    id integer primary key generated always as identity,
    email text not null,
    amount integer not null default 0,
    constraint invoices_email_key unique (email) deferrable initially deferred
  )`

/** The options of {@link buildBoth}: of the server, and of each database. */
export interface BothOptions {
  readonly server?: FastifyServerOptions
  readonly first?: DataAccessOptions
  readonly billing?: DataAccessOptions
  readonly before?: (server: FastifyInstance) => void
}

/** A server with two databases, each behind a network that fails on demand. */
export interface Both {
  readonly server: FastifyInstance
  readonly first: Proxy
  readonly billing: Proxy
  /** How many rows each database has, asked over other connections. */
  readonly rows: () => Promise<{ users: number, invoices: number }>
}

/** Builds a server with two databases on real PostgreSQL: `users` in the first, `invoices` in `billing`. Both are checked at the end as by `build()`. */
export async function buildBoth (t: Test, { server: serverOptions, first: firstOptions, billing: billingOptions, before }: BothOptions = {}): Promise<Both> {
  const [main, other] = [await createTestDatabase(t, withTables), await createTestDatabase(t, { sql: billingTables })]
  const [first, billing] = [await startProxy(t, main.connectionString), await startProxy(t, other.connectionString)]
  const server: FastifyInstance = Fastify({ ...serverOptions })
  t.teardown(() => server.close())
  before?.(server)
  await server.register(dataAccess, { connectionString: first.connectionString, ...declared, ...unhurried, ...firstOptions })
  await server.register(dataAccess, { name: 'billing', connectionString: billing.connectionString, ...billingSchema, ...unhurried, ...billingOptions })
  watchPool(t, server.db.pool, { url: main.connectionString })
  watchPool(t, databaseOf(server).pool, { url: other.connectionString })
  const count = async ({ pool }: Database, table: string): Promise<number> =>
    (await pool.query<{ count: number }>(`select count(*)::int from ${table}`)).rows[0]?.count ?? 0
  return { server, first, billing, rows: async () => ({ users: await count(main.database, 'users'), invoices: await count(other.database, 'invoices') }) }
}

/** The second database. */
export function databaseOf (server: FastifyInstance): Database {
  return server.databases['billing'] as Database
}
