import { Client } from 'pg'
import { sql } from 'drizzle-orm'
import { behindPooler } from './through-pooler.js'
import { until } from './until.js'
import { clientsOf } from './watch.js'
import type { Database, StatementRunner } from '../../src/index.js'

/** Runs SQL over a connection of its own, beside the pool, and past a pooler. */
export async function beside<Row extends object> ({ pool }: Pick<Database, 'pool'>, text: string, values: unknown[] = []): Promise<Row[]> {
  return await queryOnce(behindPooler(pool.options.port) ?? pool.options, text, values)
}

/** Runs SQL over a connection that is closed afterwards. */
export async function queryOnce<Row extends object> (
  connection: ConstructorParameters<typeof Client>[0],
  text: string,
  values: unknown[] = []
): Promise<Row[]> {
  return await withClient(connection, async (client) => (await client.query<Row>(text, values)).rows)
}

/** Uses a connection, which is closed afterwards. */
async function withClient<Result> (connection: ConstructorParameters<typeof Client>[0], work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client(connection)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** The process id of a session's backend. */
export async function backendOf (runner: StatementRunner): Promise<number> {
  const { rows } = await runner.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)
  return rows[0]?.pid ?? 0
}

/**
 * Ends a process of PostgreSQL; resolves when the pool's client has noticed. A pooler ends the client that has the process inside
 * a transaction, and none for an idle process.
 */
export async function killBackend (database: Database, pid: number): Promise<void> {
  const clients = clientsOf(database.pool)
  const itsOwn = clients.filter(({ processID }) => processID === pid)
  const ended = new Promise<void>((resolve) => { for (const client of itsOwn.length > 0 ? itsOwn : clients) client.once('end', () => resolve()) })
  // It stays open meanwhile: the idle connections of a pool do not keep the process running.
  await withClient(behindPooler(database.pool.options.port) ?? database.pool.options, async (client) => {
    const { rows } = await client.query<{ state: string }>('select state, pg_terminate_backend(pid) from pg_stat_activity where pid = $1', [pid])
    if (itsOwn.length > 0 || rows.some(({ state }) => state !== 'idle')) await ended
  })
}

/** Resolves when a process runs, or waits in, a statement that contains the given text. */
export async function running (database: Database, text: string): Promise<void> {
  await until(() => isActive(database, text))
}

/** Resolves when no process runs such a statement any more. */
export async function ended (database: Database, text: string): Promise<void> {
  await until(async () => !await isActive(database, text))
}

async function isActive (database: Database, text: string): Promise<boolean> {
  const rows = await beside(
    database,
    "select from pg_stat_activity where datname = current_database() and state = 'active' and pid <> pg_backend_pid() and query like $1",
    [`%${text}%`]
  )
  return rows.length > 0
}
