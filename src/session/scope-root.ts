import type { Caller } from '../statement/caller.js'
import type { Streams } from './row-stream.js'
import type { SessionContext } from './transaction/session-context.js'
import type { Savepoint } from './transaction/savepoint.js'
import type { RequestedWork } from './transaction/requested-work.js'
import type { ContextLead } from './transaction/context-lead.js'
import type { Statement, StatementResult } from '../statement/statement.js'

/** The connection's side of a session: a transaction, or with `single` statements that commit by themselves. */
export interface SessionTransaction {
  readonly lead: ContextLead | undefined
  readonly work: RequestedWork
  readonly asked: number
  readonly token: string | undefined
  readonly isOpen: boolean
  readonly holdsConnection: boolean
  readonly obstacle: Error | undefined
  readonly isUsed: boolean
  readonly isIdle: boolean
  /** Called when `timeoutMillis` has passed since BEGIN. */
  timedOut?: (() => void) | undefined
  /** With `single`: what has become of the write, once it may have been saved. */
  readonly fate?: 'committed' | 'unknown' | undefined
  /** With `single`: the error for a call that needs a transaction. */
  refuses? (call: string): Error
  follow (token: unknown): void
  run (statement: Statement, savepoint: Savepoint | undefined): Promise<StatementResult<never>>
  idle (): Promise<void> | undefined
  release (savepoint: Savepoint): Promise<Error | undefined> | void
  undo (savepoint: Savepoint): Promise<void> | void
  commit (): Promise<void> | void
  rollback (): Promise<void>
  close (reason: () => Error): void
}

/** The state that the scopes of one session share. */
export interface ScopeRoot {
  readonly context: SessionContext
  readonly transaction: SessionTransaction
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
