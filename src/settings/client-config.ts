import type { ClientConfig } from 'pg'
import { extendConnection, parseConnectionString } from './url/connection-string.js'
import type { UrlConfig } from './url/connection-string.js'
import { SettingsError } from '../errors/settings-error.js'
import type { SettingValues } from './setting-table.js'

/**
 * The configuration of each client: the parts of the URL, how long connecting may take, and the server-side limits where they can be startup parameters.
 * @throws {SettingsError} for a URL that is missing or cannot be used
 */
export function connectionOf (values: SettingValues, setting: string): Readonly<UrlConfig> {
  const url = values.connectionString
  if (url === undefined) throw missingConnection(setting)
  const connection = timed(parseConnectionString(url, setting), values)
  return Object.freeze(values.pooler === 'transaction' ? connection : extendConnection(connection, limitsOf(values)))
}

/**
 * The configuration of clients that need a session, without limits; undefined if no URL leads to the server itself.
 * @throws {SettingsError} for a URL that cannot be used
 */
export function directConnectionOf (values: SettingValues, setting: string): Readonly<UrlConfig> | undefined {
  const url = values.directConnectionString
  return url === undefined ? undefined : Object.freeze(timed(parseConnectionString(url, setting), values))
}

function timed (connection: UrlConfig, values: SettingValues): UrlConfig {
  const timeoutMillis = toMillis(values['pool.timeoutSeconds'])
  return extendConnection(connection, { connectionTimeoutMillis: Math.min(connection.connectionTimeoutMillis ?? timeoutMillis, timeoutMillis) })
}

/** The error for a missing database URL, by the name of its variable. */
export function missingConnection (variable = 'DATABASE_URL'): SettingsError {
  return new SettingsError(variable, 'is not set: set it in the environment, or give the option connectionString (or pg, a pool of your own)')
}

function limitsOf (values: SettingValues): ClientConfig {
  return {
    statement_timeout: toMillis(values.statementTimeoutSeconds),
    lock_timeout: toMillis(values.lockTimeoutSeconds),
    idle_in_transaction_session_timeout: toMillis(values.idleInTransactionTimeoutSeconds),
  }
}

function toMillis (seconds: number): number {
  return Math.round(seconds * 1000)
}
