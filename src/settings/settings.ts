import type { Logger as QueryLogger } from 'drizzle-orm'
import type { Pool } from 'pg'
import { silentLogger, type Logger } from '../runtime/logger.js'
import { connectionOf, directConnectionOf } from './client-config.js'
import { defaultName, environmentPrefix } from './database-name.js'
import { readVariables, type Environment } from './environment.js'
import { givenOptions } from './given-options.js'
import { hide } from '../runtime/hidden-properties.js'
import type { DatabaseOptions } from './database-options.js'
import type { UrlConfig } from './url/connection-string.js'
import { newPoolSettings, ownPoolSettings, type PoolSettings } from './pool-settings.js'
import { replicaSettings, type ReplicaSettings } from './replica-settings.js'
import { SettingsError } from '../errors/settings-error.js'
import { defaultOf, settingRows, type SettingRow, type SettingValues } from './setting-table.js'
import { isOptions } from '../runtime/option-checks.js'
import { checkValue } from './setting-values.js'

export { missingConnection } from './client-config.js'
export { checkName, defaultName, environmentPrefix } from './database-name.js'
export { environmentSchema, readEnvironment, hiddenVariables, readVariables, unknownVariables, type Environment } from './environment.js'
export { givenOptions, optionNames } from './given-options.js'
export type { DatabaseOptions, DrizzleOptions, PoolOptions, PreparedStatementOptions, ReplicaOptions, RepositoryOptions } from './database-options.js'
export type { PoolSettings } from './pool-settings.js'
export type { ReplicaSettings } from './replica-settings.js'
export { SettingsError } from '../errors/settings-error.js'
export type { DatabaseEnvironment } from './setting-table.js'

/**
 * The settings of one database, complete and checked, from {@link DatabaseOptions} and the environment.
 *
 * Frozen. `pg`, `schema`, `relations`, `logger` and `queryLogger` are not enumerable: they are read by name, and stay out of logs and copies.
 */
export interface Settings {
  /** The name of the database: `default` if none was given. */
  readonly name: string
  /** The name of its pool for those who watch, if it differs: that of a replica. */
  readonly poolName?: string | undefined
  /**
   * Object configuration for `pg`, never a connection string; undefined with a pool of the user's own.
   * The password is not enumerable: {@link extendConnection} adds keys without losing it.
   * The three server-side limits are in it as startup parameters, unless {@link Settings.pooler} is `'transaction'`.
   */
  readonly connection: Readonly<UrlConfig> | undefined
  /** The configuration for the server itself, beside a pooler; undefined if none was given. */
  readonly directConnection: Readonly<UrlConfig> | undefined
  /** The user's own pool, used as it is and never ended by us. */
  readonly pg: Pool | undefined
  readonly pool: PoolSettings
  /** Undefined without replicas. */
  readonly replicas: ReplicaSettings | undefined
  readonly echo: boolean
  /** 0 is every statement. */
  readonly slowQueryMillis: number
  /** 0 is none. */
  readonly statementTimeoutSeconds: number
  /** 0 is none. */
  readonly lockTimeoutSeconds: number
  /** 0 is none. */
  readonly idleInTransactionTimeoutSeconds: number
  readonly pooler: 'none' | 'transaction' | 'auto'
  /** Undefined: where a pooler can keep them. */
  readonly preparedStatements: boolean | undefined
  /** How many prepared statements a connection keeps. */
  readonly maxPreparedStatements: number
  /** How many processes with such a pool share the server. */
  readonly processes: number
  readonly drainTimeoutSeconds: number
  /** 0 is no warning. */
  readonly leakWarningSeconds: number
  readonly waitForDatabaseSeconds: number
  readonly degraded: boolean
  readonly schema: Record<string, unknown> | undefined
  readonly relations: Record<string, unknown> | undefined
  readonly casing: 'snake_case' | 'camelCase' | undefined
  /** Logs Drizzle's queries with their values. */
  readonly queryLogger: boolean | QueryLogger | undefined
  readonly repository: { readonly defaultLimit: number, readonly maxLimit: number }
  readonly logger: Logger
}

/**
 * Resolves options and environment to settings: options win over variables, variables over defaults. Neither is mutated.
 *
 * @param environment texts as in `process.env` (the default), or the result of {@link readEnvironment}; with the option `name`
 * the names of its variables begin with it
 * @throws {SettingsError} for a setting that does not exist or cannot be used, with its name and never its value
 * @example
 * const settings = resolveSettings({ connectionString: 'postgresql://ada@localhost/shop', pool: { size: 5, maxOverflow: 0 } })
 */
export function resolveSettings (options: DatabaseOptions, environment: Environment = process.env): Settings {
  const given = givenOptions(options)
  const variables: unknown = environment
  if (!isOptions(variables)) throw new SettingsError('environment', 'must be an object of variables, as process.env')
  const prefix = environmentPrefix(options.name)
  const values = settle(given, readVariables(environment, prefix), prefix)
  const { pg, schema, relations, casing, logger = silentLogger } = options
  const settings: Settings = {
    name: options.name ?? defaultName,
    connection: pg === undefined ? connectionOf(values, given.has('connectionString') ? 'connectionString' : `${prefix}DATABASE_URL`) : undefined,
    directConnection: directConnectionFor(values, given, { environment, prefix }),
    pg,
    pool: Object.freeze(pg === undefined ? newPoolSettings(values) : ownPoolSettings(pg, values, given)),
    replicas: replicaSettings(values, given, prefix),
    echo: values.echo,
    slowQueryMillis: values.slowQueryMillis,
    statementTimeoutSeconds: values.statementTimeoutSeconds,
    lockTimeoutSeconds: values.lockTimeoutSeconds,
    idleInTransactionTimeoutSeconds: values.idleInTransactionTimeoutSeconds,
    pooler: values.pooler,
    preparedStatements: values.preparedStatements,
    maxPreparedStatements: values['preparedStatements.max'],
    processes: values.processes,
    drainTimeoutSeconds: values.drainTimeoutSeconds,
    leakWarningSeconds: values.leakWarningSeconds,
    waitForDatabaseSeconds: values.waitForDatabaseSeconds,
    degraded: values.degraded,
    schema,
    relations,
    casing,
    queryLogger: options.drizzle?.logger,
    repository: Object.freeze(limitsOf(values, given)),
    logger,
  }
  return Object.freeze(hide(settings, 'pg', 'schema', 'relations', 'logger', 'queryLogger'))
}

/** The variable belongs to DATABASE_URL: with another database it could lead to the wrong one. */
function directConnectionFor (
  values: SettingValues,
  given: ReadonlyMap<string, unknown>,
  { environment, prefix }: { environment: Environment, prefix: string }
): Settings['directConnection'] {
  if (given.has('directConnectionString')) return directConnectionOf(values, 'directConnectionString')
  const isOther = given.has('pg') || (given.has('connectionString') && given.get('connectionString') !== environment[`${prefix}DATABASE_URL`])
  return isOther ? undefined : directConnectionOf(values, `${prefix}DATABASE_DIRECT_URL`)
}

function settle (given: ReadonlyMap<string, unknown>, environment: Environment, prefix: string): SettingValues {
  const rows: readonly SettingRow[] = settingRows
  const entries = rows.map((row) => {
    const unsaid = row.variable === undefined ? defaultOf(row) : environment[`${prefix}${row.variable}`]
    return [row.path, given.has(row.path) ? checkValue(row, given.get(row.path), row.path) : unsaid]
  })
  // Object.fromEntries loses the type of each value; keys and values come from the table that defines the type.
  return Object.fromEntries(entries) as SettingValues
}

function limitsOf (values: SettingValues, given: ReadonlyMap<string, unknown>): Settings['repository'] {
  const defaultLimit = values['repository.defaultLimit']
  const maxLimit = values['repository.maxLimit']
  if (given.has('repository.defaultLimit') && defaultLimit > maxLimit) {
    throw new SettingsError('repository.defaultLimit', 'must not be greater than repository.maxLimit')
  }
  return { defaultLimit: Math.min(defaultLimit, maxLimit), maxLimit }
}
