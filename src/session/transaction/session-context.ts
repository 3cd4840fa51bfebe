import type { ErrorWords } from '../../errors/to-database-error.js'
import type { ConnectionSource } from '../../pool/connection-source.js'
import type { Replicas } from '../../replicas/replicas.js'
import type { DrizzleBinding } from '../../drizzle/queries/drizzle-binding.js'
import type { Repositories } from '../../repository/repository-factory.js'
import type { DatabasePlace } from '../../channels/messages.js'
import type { Statement } from '../../statement/statement.js'

/** The parts that the sessions of one database share. */
export interface SessionContext {
  /** The database, for the channels. */
  readonly place: DatabasePlace
  /** Read for each use: a test may replace it. */
  pool: ConnectionSource
  /** Undefined without replicas. A test may take them away. */
  replicas: Replicas | undefined
  readonly repositories: Repositories
  readonly drizzle: DrizzleBinding
  /** How to word the errors of statements. */
  readonly words: ErrorWords
  /** Whether policies do not hold for the database user. Known from the start on, with `contextRequired`. */
  bypassesPolicies: boolean
  /** The longest wait for a nested scope to end, in milliseconds. */
  readonly scopeTimeoutMillis: number
  /** Makes `close()` wait for callbacks that are running. */
  track (work: Promise<void>): void
  /** Called synchronously for every statement, in the caller's async context. Used by `captureStatements()`. */
  watch: ((statement: Statement, answer: Promise<unknown>) => void) | undefined
}
