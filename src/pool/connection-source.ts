import type { Connection } from '../connection/connection.js'
import type { AcquireRequest } from './acquire-queue.js'
import type { Cancel, ReadRequest } from './shared/plain-read.js'
import type { Caller } from '../statement/caller.js'

export type { Cancel }

/** The part of a connection that sessions use. */
export type LentConnection = Pick<Connection,
  'run' | 'send' | 'idle' | 'isIdle' | 'cancel' | 'release' | 'isReleased' | 'destroy' |
  'server' | 'status' | 'refusal' | 'readCommitted' | 'limits' | 'leading' | 'enterTransaction' | 'leaveTransaction'>

/** The source of the sessions' connections: the pool, or a test's substitute. */
export interface ConnectionSource {
  /** Whether a statement on the newest connection sees the same rows outside a transaction as inside one. */
  readonly readCommitted: boolean
  /** Whether a connection is available without a wait. */
  readonly hasRoom: boolean
  /** Lookups over connections that are shared, with `pool.sharedReads`. */
  readonly shared?: { acquire (request: ReadRequest<LentConnection>): Cancel } | undefined
  acquire (request: AcquireRequest<LentConnection>): Cancel
  connect (caller: Caller): Promise<LentConnection>
  /** Resolves when no connection is on its way without a waiter. */
  arrived (): Promise<void>
  /** Called before the database is closed. */
  leave? (): Promise<void>
}
