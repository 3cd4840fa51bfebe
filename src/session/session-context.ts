import type { ConstraintMap } from '../errors/constraint-words.js'
import type { ConnectionSource } from '../pool/connection-source.js'
import type { DrizzleBinding } from '../drizzle/queries/drizzle-session.js'
import type { Repositories } from '../repository/repository-factory.js'
import type { Statement } from '../statement/statement.js'

/** What the sessions of one database share. */
export interface SessionContext {
  /** Asked for each time: a test may put something else in its place. */
  pool: ConnectionSource
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
