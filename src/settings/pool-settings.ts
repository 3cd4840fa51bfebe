import type { Pool } from 'pg'
import { SettingsError } from '../errors/settings-error.js'
import type { SettingValues } from './setting-table.js'

/** The settings of the pool, complete and checked. */
export interface PoolSettings {
  readonly size: number
  /** size + maxOverflow */
  readonly max: number
  readonly timeoutMillis: number
  /** Infinity is no limit but that of time. */
  readonly maxWaiting: number
  /** 0 is no limit. */
  readonly recycleSeconds: number
  readonly prePing: boolean
  readonly prePingAfterMillis: number
  readonly echo: boolean
  readonly resetOnRelease: boolean
  /** How many connections the lookups of many requests share; 0: none. */
  readonly sharedReads: number
}

/** With `sharedReads`, that many connections are shared at a time. */
const sharingConnections = 2

/** The settings for a pool that the package makes. */
export function newPoolSettings (values: SettingValues): PoolSettings {
  const max = values['pool.size'] + values['pool.maxOverflow']
  return {
    size: values['pool.size'],
    max,
    timeoutMillis: Math.round(values['pool.timeoutSeconds'] * 1000),
    maxWaiting: values['pool.maxWaiting'] ?? Infinity,
    recycleSeconds: values['pool.recycleSeconds'],
    prePing: values['pool.prePing'],
    prePingAfterMillis: values['pool.prePingAfterMillis'],
    echo: values['pool.echo'],
    resetOnRelease: values['pool.resetOnRelease'],
    sharedReads: values['pool.sharedReads'] ? sharingConnections : 0,
  }
}

/**
 * The settings of a pool that the user made, read from that pool. Nothing is done to its connections that the user did not request.
 * @throws {SettingsError} for an option that has no meaning for such a pool
 */
export function ownPoolSettings (pool: Pool, values: SettingValues, given: ReadonlyMap<string, unknown>): PoolSettings {
  for (const path of given.keys()) {
    if (path === 'connectionString' || path.startsWith('pool.')) throw new SettingsError(path, 'cannot be given beside pg: that pool is used as it is')
  }
  const { max, min, connectionTimeoutMillis, maxLifetimeSeconds } = pool.options
  return {
    ...newPoolSettings(values),
    size: min ?? 0,
    max,
    timeoutMillis: connectionTimeoutMillis || Math.round(values['pool.timeoutSeconds'] * 1000),
    maxWaiting: Infinity,
    recycleSeconds: maxLifetimeSeconds,
    prePing: false,
    resetOnRelease: false,
    sharedReads: 0,
  }
}
