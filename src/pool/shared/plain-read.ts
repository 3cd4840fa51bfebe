import type { Connection } from '../../connection/connection.js'
import type { Outcome } from '../../connection/outcome.js'
import type { Caller } from '../../statement/caller.js'
import type { Statement } from '../../statement/statement.js'

/** A plain read outside a transaction. It asks for a connection of its own, or for the answer over a shared one: one of the three methods is called. */
export interface ReadRequest<Lent = Connection> {
  readonly caller: Caller
  readonly statement: Statement
  lend (connection: Lent): void
  refuse (error: Error): void
  /** The answer came over a shared connection, which is not the caller's to release. */
  answered (outcome: Outcome, connection: Lent): void
}

/** The part of a request that asks for a connection of its own. */
export type OwnRequest = Pick<ReadRequest, 'caller' | 'lend' | 'refuse'>

/** Cancels a wait: the request is refused with the error. It does nothing if the wait has ended. */
export type Cancel = (error: Error) => void

/** Asks the pool for a connection of its own. */
export type AskForOwn = (request: OwnRequest) => Cancel
