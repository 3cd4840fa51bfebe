import { toDatabaseError } from '../../errors/to-database-error.js'
import { ignore } from '../../runtime/promises.js'
import { DatabaseClient, type DatabaseClientConfig } from '../../pg/database-client.js'
import { explain } from '../../pooler/unreachable.js'
import { defaultName, environmentPrefix } from '../../settings/database-name.js'
import { missingConnection } from '../../settings/client-config.js'
import { extendConnection, parseConnectionString } from '../../settings/url/connection-string.js'
import type { Client } from 'pg'
import type { MigrationOptions } from './migration-options.js'

/** The name of each connection in `pg_stat_activity`, unless the configuration has one. */
const name = 'fastify-data-access migrations'

/** The limits of an application, which a migration must not have: an index on a large table takes its time. */
const unlimited = { statement_timeout: false, lock_timeout: undefined, idle_in_transaction_session_timeout: undefined, query_timeout: undefined } as const

/**
 * Runs `fn` with a new connection, without the time limits of the application. It changes no setting: behind a pooler, the next client would inherit it.
 *
 * @throws {ConnectionError} with the fix, and without any part of the URL, if the database cannot be reached
 */
export async function withClient<Result> (options: MigrationOptions, fn: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new DatabaseClient(clientConfig(options))
  // A lost connection already rejects the current statement. Without a listener, the event would end the process, too.
  client.on('error', ignore)
  try {
    await client.connect()
  } catch (error) {
    throw explain(toDatabaseError(error), options.database?.name ?? defaultName, { operation: 'connect' })
  }
  try {
    return await fn(client)
  } finally {
    await client.end()
  }
}

/** The URL of the environment: that of the server itself, else the usual one; empty if neither is set. */
export function urlOfEnvironment ({ DATABASE_DIRECT_URL: direct, DATABASE_URL: usual }: Readonly<Record<string, string | undefined>>): string {
  return direct || usual || ''
}

/** How the URL of the server itself is given, for messages. */
export function directSetting ({ connectionString, database }: MigrationOptions): string {
  const variable = `${environmentPrefix(database?.name)}DATABASE_DIRECT_URL`
  return connectionString === undefined ? variable : `connectionString (for the command: ${variable})`
}

function clientConfig (options: MigrationOptions): DatabaseClientConfig {
  const config = connectionOf(options)
  return extendConnection(config, { ...unlimited, fallback_application_name: config.fallback_application_name ?? name })
}

function connectionOf ({ connectionString, database }: MigrationOptions): DatabaseClientConfig {
  if (database !== undefined) return database.directConnection ?? database.pool.options
  const url = connectionString ?? urlOfEnvironment(process.env)
  if (url === '') throw missingConnection()
  return parseConnectionString(url)
}
