import type { ConstraintMap } from '../../errors/constraint-words.js'
import type { ConnectionSource } from '../../pool/connection-source.js'
import type { DrizzleBinding } from '../../drizzle/queries/drizzle-binding.js'
import type { Repositories } from '../../repository/repository-factory.js'
import type { Statement } from '../../statement/statement.js'

/** The parts that the sessions of one database share. */
export interface SessionContext {
  /** Read for each use: a test may replace it. */
  pool: ConnectionSource
  readonly repositories: Repositories
  readonly drizzle: DrizzleBinding
  readonly constraints: ConstraintMap | undefined
  /** Statements that follow each BEGIN: limits that a pooler refuses as startup parameters. */
  readonly settings: readonly string[]
  /** The longest wait for a nested scope to end, in milliseconds. */
  readonly scopeTimeoutMillis: number
  /** Makes `close()` wait for callbacks that are running. */
  track (work: Promise<void>): void
  /** Called synchronously for every statement, in the caller's async context. Used by `captureStatements()`. */
  watch: ((statement: Statement, answer: Promise<unknown>) => void) | undefined
}
