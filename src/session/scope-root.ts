import type { Caller } from '../statement/caller.js'
import type { Streams } from './row-stream.js'
import type { SessionContext } from './transaction/session-context.js'
import type { Transaction } from './transaction/transaction.js'

/** The state that the scopes of one session share. */
export interface ScopeRoot {
  readonly context: SessionContext
  readonly transaction: Transaction
  readonly caller: Caller
  /** How many savepoints the session has named so far. */
  savepoints: number
  /** The streams of the session, once one was opened. */
  streams: Streams | undefined
  /** Leaves the async context, once a nested scope has entered it. */
  leaveContext: (() => void) | undefined
  /** Whether a statement after the end was logged; it is logged once. */
  hasToldOfZombie: boolean
}
