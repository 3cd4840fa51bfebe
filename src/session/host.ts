import type { ConstraintMap } from '../errors/constraints.js'
import type { ConnectionPool } from '../pool.js'
import type { DrizzleBinding } from './drizzle.js'
import type { Repositories } from '../repository/repositories.js'

/** What the sessions of one database share. */
export interface SessionHost {
  readonly pool: ConnectionPool
  readonly repositories: Repositories
  readonly drizzle: DrizzleBinding
  readonly constraints: ConstraintMap | undefined
  /** Sent behind each BEGIN: limits that a pooler refuses as startup parameters. */
  readonly settings: readonly string[]
  /** The longest wait for a nested scope to end, in milliseconds. */
  readonly scopeTimeoutMillis: number
  /** Lets `close()` wait for callbacks that are under way. */
  track (work: Promise<void>): void
}
