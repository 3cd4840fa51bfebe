import type { ClientConfig, Pool } from 'pg'
import type { Logger } from './log.js'

/** The settings of one database, complete and checked: what {@link DatabaseOptions} and the environment come to. */
export interface Settings {
  /** Object configuration for `pg`, never a connection string (the password is not enumerable); undefined with a pool of the user's own. */
  readonly connection: ClientConfig | undefined
  /** The user's own pool, used as it is and never ended by us. */
  readonly pg: Pool | undefined
  readonly pool: {
    readonly size: number
    /** size + maxOverflow */
    readonly max: number
    readonly timeoutMillis: number
    readonly maxWaiting: number
    /** 0 is no limit. */
    readonly recycleSeconds: number
    readonly prePing: boolean
    readonly prePingAfterMillis: number
    readonly echo: boolean
    readonly resetOnRelease: boolean
  }
  readonly echo: boolean
  readonly slowQueryMillis: number
  readonly statementTimeoutSeconds: number
  readonly lockTimeoutSeconds: number
  readonly idleInTransactionTimeoutSeconds: number
  readonly preparedStatements: boolean
  readonly drainTimeoutSeconds: number
  readonly leakWarningSeconds: number
  readonly waitForDatabaseSeconds: number
  readonly degraded: boolean
  readonly schema: Record<string, unknown> | undefined
  readonly casing: 'snake_case' | 'camelCase' | undefined
  readonly repository: { readonly defaultLimit: number, readonly maxLimit: number }
  readonly logger: Logger
}
