import { ConnectionError } from '../errors/errors.js'
import { sqlStates } from '../errors/sqlstate-codes.js'
import type { ErrorContext } from '../errors/database-error.js'
import type { Exchange } from './exchange/exchange.js'
import type { Refusal } from './exchange/prepared-statements.js'

/** The function in PostgreSQL's source that ends a terminated or idle connection. */
const interrupts = 'ProcessInterrupts'

/** SQLSTATE of `idle_session_timeout`. */
const idleSession = sqlStates.idleSessionTimeout

/** SQLSTATEs of the idle limits, outside and inside a transaction. PostgreSQL checks them before it runs the next message. */
const idleLimits: ReadonlySet<unknown> = new Set([idleSession, sqlStates.idleInTransactionSessionTimeout])

/** SQLSTATEs that may end a connection at any time: an administrator's command, or a dropped database. */
const endings: ReadonlySet<unknown> = new Set([sqlStates.adminShutdown, sqlStates.databaseDropped])

/**
 * Whether the error with which PostgreSQL ended a connection proves that none of the sent statements has run.
 *
 * PostgreSQL's messages come in order. After an idle limit nothing ran, if no response came before. An administrator's command
 * may come while a statement runs, or after it has committed and before the response arrives. Then only a missing BindComplete,
 * in an exchange that would have received one, proves that the statement has not run.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
 */
export function hasNeverRun (error: Error, { preludeDone, responses: [first], isUnbound }: Exchange): boolean {
  const { code, routine } = error as Refusal
  if (preludeDone > 0 || first === undefined || first.tags.length > 0 || first.rows.length > 0) return false
  return idleLimits.has(code) ? (routine ?? interrupts) === interrupts : isUnbound && endings.has(code) && routine === interrupts
}

/** The error of a statement that did not run because its connection had ended. After `idle_session_timeout` it may be tried again. */
export function refusedUnsent (ending: Error, context: ErrorContext): Error {
  return Object(ending).code === idleSession ? new ConnectionError(undefined, { cause: ending, context }) : ending
}
