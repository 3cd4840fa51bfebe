import type { Response } from './response.js'
import type { Statement } from '../../statement/statement.js'

/** Statements that are sent together, after their prelude. After the first failure PostgreSQL skips the rest. */
export interface Exchange {
  /** The response to each statement, in order. */
  readonly responses: readonly Response[]
  /** How many statements of the prelude PostgreSQL has run. */
  readonly preludeDone: number
  /** The answer to the question in the prelude, as text. */
  readonly preludeValue: string | undefined
  /** Whether PostgreSQL has run everything. */
  readonly isAnswered: boolean
  /** Whether it failed because a prepared statement does not exist in PostgreSQL, or its columns have changed. */
  readonly isStale: boolean
  /** The name of that statement. */
  readonly staleName: string | undefined
  /** Whether no BindComplete has come, in an exchange that would have received one. */
  readonly isUnbound: boolean
  /** Adds a statement. @throws if a value cannot be written as text; then nothing of the statement is sent */
  add (statement: Statement): void
  /** Sends everything. `finished` is called once: with the first error, or when PostgreSQL is ready for the next query. */
  send (finished: (error: Error | undefined) => void): void
  /** After an error: calls back when PostgreSQL has reported the transaction status, or the connection has ended. */
  awaitReady (ready: () => void): void
}
