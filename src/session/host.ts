import type { ConstraintMap } from '../errors/constraints.js'
import type { Lender } from '../connection/lender.js'
import type { DrizzleBinding } from './drizzle.js'
import type { Repositories } from '../repository/repositories.js'
import type { Statement } from './statement.js'

/** What the sessions of one database share. */
export interface SessionHost {
  /** Asked for each time: a test may put something else in its place. */
  pool: Lender
  readonly repositories: Repositories
  readonly drizzle: DrizzleBinding
  readonly constraints: ConstraintMap | undefined
  /** Sent behind each BEGIN: limits that a pooler refuses as startup parameters. */
  readonly settings: readonly string[]
  /** The longest wait for a nested scope to end, in milliseconds. */
  readonly scopeTimeoutMillis: number
  /** Lets `close()` wait for callbacks that are under way. */
  track (work: Promise<void>): void
  /** Sees each statement in the moment it is asked for, in the async context of the one who asks: for a test that counts them. */
  watch: ((statement: Statement, answer: Promise<unknown>) => void) | undefined
}
