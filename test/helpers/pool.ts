import { Pool } from 'pg'
import { ConnectionPool } from '../../src/pool/connection-pool.js'
import { poolConfig } from '../../src/pool/pool-config.js'
import { resolveSettings } from '../../src/settings/settings.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { withTables } from './schema.js'
import { watchPool } from './watch.js'
import { leading, preparedLeading } from '../../src/statement/leading-statement.js'
import type { LeadingStatement } from '../../src/statement/leading-statement.js'
import type { Connection } from '../../src/connection/connection.js'
import type { Outcome } from '../../src/connection/outcome.js'
import type { Cancel } from '../../src/pool/connection-source.js'
import type { Caller } from '../../src/statement/caller.js'
import type { StatementKind } from '../../src/statement/statement.js'
import type { DatabaseOptions } from '../../src/settings/settings.js'
import type { Test } from './test.js'

/** The caller in tests that check no caller. */
export const caller: Caller = { label: 'test', logger: { debug () {}, info () {}, warn () {}, error () {} } }

/** A pool over a new database with {@link tables} in it, or over the given one. It ends with the test. */
export async function openPool (t: Test, options: DatabaseOptions = {}): Promise<ConnectionPool> {
  const { connectionString = (await createTestDatabase(t, withTables)).connectionString } = options
  const settings = resolveSettings({ ...options, ...(options.pg === undefined && { connectionString }) }, {})
  const pg = settings.pg ?? new Pool(poolConfig(settings))
  const pool = new ConnectionPool(pg, settings)
  t.teardown(async () => {
    pool.end()
    if (settings.pg === undefined) await pg.end()
  })
  // The server behind a given URL may be gone, or its network silent; the listeners of a given pool are counted by tests.
  if (settings.pg === undefined) watchPool(t, pg, options.connectionString === undefined ? {} : { url: false })
  return pool
}

/** Requests a connection; the request can be cancelled. */
export function request (pool: ConnectionPool): { cancel: Cancel, answer: Promise<Connection> } {
  let cancel: Cancel = () => {}
  const answer = new Promise<Connection>((resolve, reject) => {
    cancel = pool.acquire({ caller, lend: resolve, refuse: reject })
  })
  answer.catch(() => {})
  return { cancel, answer }
}

/** Runs a text on a connection, after its prelude. */
export function run (
  connection: Connection,
  text: string,
  { prelude, values = [], kind = 'raw' }: { prelude?: string[], values?: unknown[], kind?: StatementKind } = {}
): Promise<Outcome> {
  return connection.run({ kind, text, values, context: { operation: 'test' } }, leads(prelude))
}

/** A prelude of these texts; BEGIN has a name. */
export function leads (texts: readonly string[] = []): LeadingStatement[] {
  return texts.map((text) => text.startsWith('begin') ? preparedLeading('begin', text) : leading(text))
}

/** A connection of {@link connectInTransaction}, and the process id of its backend. */
export interface InTransaction {
  readonly connection: Connection
  readonly pid: number
}

/** A connection that is marked as inside a transaction; the test sends BEGIN. */
export async function connectInTransaction (t: Test, pool: ConnectionPool): Promise<InTransaction> {
  const connection = await pool.connect(caller)
  const pid = await backendOf(connection)
  connection.enterTransaction()
  t.teardown(async () => connection.destroy())
  return { connection, pid }
}

/** The process id of a connection's backend. */
export async function backendOf (connection: Connection): Promise<number> {
  return Number(await scalar(connection, 'select pg_backend_pid()'))
}

/** The one value in the result of a text. */
export async function scalar (connection: Connection, text: string): Promise<unknown> {
  const { error, result } = await run(connection, text)
  if (error !== undefined) throw error
  return Object.values(result?.rows[0] ?? {})[0]
}

/** How many rows the table `users` has. */
export async function countUsers (pool: ConnectionPool): Promise<number> {
  const { rows } = await pool.pool.query<{ total: number }>('select count(*)::int as total from users')
  return Number(rows[0]?.total)
}
