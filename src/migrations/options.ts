import { Client } from 'pg'
import type { ClientConfig, Pool } from 'pg'
import { parseConnectionString } from '../connection-string.js'
import { toDatabaseError } from '../errors/sqlstate.js'

/** Which migrations, and on which database. */
export interface MigrationOptions {
  /**
   * The database's URL.
   * @defaultValue `DATABASE_URL`
   */
  readonly connectionString?: string | undefined
  /** An open database, instead of its URL; migrations run on connections of their own beside its pool. */
  readonly database?: { readonly pool: Pool } | undefined
  /**
   * drizzle-kit's `out`: the folder that holds the SQL files and `meta/_journal.json`.
   * @defaultValue `'./drizzle'`
   */
  readonly folder?: string | undefined
  /**
   * Where it is noted which migrations were applied: `schema.table`, drizzle-kit's `migrations: { schema, table }`.
   * @defaultValue `'drizzle.__drizzle_migrations'`
   */
  readonly table?: string | undefined
  /**
   * The longest wait for another process that is running migrations, in seconds; fractions allowed.
   * @defaultValue `60`
   */
  readonly lockTimeoutSeconds?: number | undefined
}

/** Runs `fn` with a connection of its own, without the time limits of the application: an index on a large table takes what it takes. */
export async function withClient<Result> (options: MigrationOptions, fn: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client(clientConfig(options))
  // A lost connection rejects the statement that runs; as an event that nobody hears it would end the process, too.
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('set statement_timeout = 0; set lock_timeout = 0; set idle_in_transaction_session_timeout = 0')
  } catch (error) {
    throw toDatabaseError(error, { context: { operation: 'connect' } })
  }
  try {
    return await fn(client)
  } finally {
    await client.end()
  }
}

function clientConfig ({ connectionString, database }: MigrationOptions): ClientConfig {
  if (database !== undefined) return database.pool.options
  return parseConnectionString(connectionString ?? process.env['DATABASE_URL'] ?? '')
}
