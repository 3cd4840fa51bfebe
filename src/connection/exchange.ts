import type { Response } from './response.js'
import type { Statement } from '../statement/statement.js'

/** Statements on their way to PostgreSQL together, what leads them first; after the first failure none of the rest takes effect. */
export interface Exchange {
  /** What has come back for each statement, in their order. */
  readonly answers: readonly Response[]
  /** How many of those that lead PostgreSQL has carried out. */
  readonly preludeDone: number
  /** The first column of what the last leading query answered, as text. */
  readonly preludeAnswer: string | undefined
  /** Whether PostgreSQL has carried out everything. */
  readonly isAnswered: boolean
  /** Whether a name that the connection was to know is the reason of a failure. */
  readonly isStale: boolean
  /** Whether PostgreSQL would have told by now if it had taken over values, and has not. */
  readonly isUnbound: boolean
  /** Adds a statement. @throws when a value cannot be written as text; then nothing of it is sent */
  add (statement: Statement): void
  /** Sends everything. `finished` is called once: with the first error, or when PostgreSQL is ready for more. */
  send (finished: (error: Error | undefined) => void): void
  /** Calls back once PostgreSQL's word on the transaction behind an error is there, or the connection has ended. */
  awaitReady (ready: () => void): void
}
