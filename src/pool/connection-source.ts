import type { Connection } from '../connection/connection.js'
import type { AcquireRequest } from './acquire-queue.js'
import type { Caller } from '../statement/caller.js'

/** What a session asks of a connection. */
export type LentConnection = Pick<Connection,
  'run' | 'send' | 'idle' | 'isIdle' | 'cancel' | 'release' | 'isReleased' | 'destroy' | 'status' | 'refusal' | 'readCommitted' | 'enterTransaction' | 'leaveTransaction'>

/** Where sessions take their connections: the pool, or what a test has put in front of it. */
export interface ConnectionSource {
  /** What the newest connection said of statements outside a transaction: whether they see what one inside would. */
  readonly readCommitted: boolean
  /** Whether a connection can be had without a wait. */
  readonly hasRoom: boolean
  acquire (request: AcquireRequest<LentConnection>): Cancel
  connect (caller: Caller): Promise<LentConnection>
  /** Resolves when no connection is on its way any more that nobody waits for. */
  arrived (): Promise<void>
  /** Steps aside before the database is closed. */
  leave? (): Promise<void>
}

/** Stops waiting: the applicant is refused with the given error, or has its connection already and nothing happens. */
export type Cancel = (error: Error) => void
