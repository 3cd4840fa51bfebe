import { SettingsError } from '../errors/settings-error.js'
import { notAnOption } from '../runtime/option-checks.js'
import { connectionOf } from './client-config.js'
import { newPoolSettings } from './pool-settings.js'
import { settingRows } from './setting-table.js'
import { checkValue } from './setting-values.js'
import type { ClientConfig } from 'pg'
import type { PoolSettings } from './pool-settings.js'
import type { SettingRow, SettingValues } from './setting-table.js'

/** The settings of the replicas, complete and checked. */
export interface ReplicaSettings {
  /** The configuration of the clients of each replica. */
  readonly connections: ReadonlyArray<Readonly<ClientConfig>>
  /** The settings of each replica's pool. */
  readonly pool: PoolSettings
  readonly maxLagMillis: number
}

const poolRows: readonly SettingRow[] = settingRows.filter(({ path }) => path.startsWith('pool.'))

/**
 * The settings of the replicas; undefined without a URL.
 *
 * @throws {SettingsError} for a URL that cannot be used, and for an option of their pool that does not exist or is invalid
 */
export function replicaSettings (values: SettingValues, given: ReadonlyMap<string, unknown>, prefix: string): ReplicaSettings | undefined {
  const own = { ...values, ...poolValues(given.get('replicas.pool') ?? {}) }
  const setting = given.has('replicas.connectionStrings') ? 'replicas.connectionStrings' : `${prefix}DATABASE_REPLICA_URLS`
  const urls = values['replicas.connectionStrings'] ?? []
  const connections = (typeof urls === 'string' ? urls.trim().split(/\s+/) : urls).map((connectionString) => connectionOf({ ...own, connectionString }, setting))
  if (connections.length === 0) return undefined
  return Object.freeze({ connections, pool: Object.freeze(newPoolSettings(own)), maxLagMillis: values['replicas.maxLagMillis'] })
}

/** The given options of the replicas' pool, by their paths in the table of settings. */
function poolValues (pool: object): Partial<SettingValues> {
  const entries = Object.entries(pool).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries.map(([name, value]) => {
    const row = poolRows.find(({ path }) => path === `pool.${name}`)
    if (row === undefined) throw new SettingsError(`replicas.pool.${name}`, notAnOption(poolRows.map(({ path }) => path.slice('pool.'.length))))
    return [row.path, checkValue(row, value, `replicas.pool.${name}`)]
  }))
}
