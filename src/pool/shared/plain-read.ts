import type { Connection } from '../../connection/connection.js'
import type { Outcome } from '../../connection/outcome.js'
import type { Caller } from '../../statement/caller.js'
import type { Statement } from '../../statement/statement.js'

/** A plain read outside a transaction, which may travel over a connection that others use at the same time. */
export interface PlainRead<Lent = Connection> {
  readonly statement: Statement
  /** It was answered over a shared connection, which is not the caller's to release. */
  readonly answered: (outcome: Outcome, connection: Lent) => void
}

/** A request for a connection of its own, or for the answer to a read: one of the three functions is called. */
export interface ReadRequest<Lent = Connection> {
  readonly caller: Caller
  readonly lend: (connection: Lent) => void
  readonly refuse: (error: Error) => void
  readonly read: PlainRead<Lent>
}

/** The part of a request that asks for a connection of its own. */
export type OwnRequest = Pick<ReadRequest, 'caller' | 'lend' | 'refuse'>

/** Cancels a wait: the request is refused with the error. It does nothing if the wait has ended. */
export type Cancel = (error: Error) => void

/** Asks the pool for a connection of its own. */
export type AskForOwn = (request: OwnRequest) => Cancel
