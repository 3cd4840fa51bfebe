import type { Exchange } from './exchange.js'
import type { Refusal } from './prepared-statements.js'

/** Where PostgreSQL ends a connection that was asked to end, or stood idle for too long. */
const interrupts = 'ProcessInterrupts'

/** SQLSTATE of the limit of a connection that stands idle outside a transaction. */
export const idleSession = '57P05'

/** The limits of a connection that stands idle, outside a transaction and inside one: PostgreSQL looks at them before it begins what has come. */
const idleLimits: ReadonlySet<unknown> = new Set([idleSession, '25P03'])

/** What may end a connection at any time: by an administrator, or because its database is dropped. */
const endings: ReadonlySet<unknown> = new Set(['57P01', '57P04'])

/**
 * Whether the error with which PostgreSQL ended a connection proves that nothing of what was sent has run.
 *
 * Its messages come in order. Behind the limit of an idle connection nothing ran, where nothing was answered before. An
 * administrator's end may come while a statement runs, or when it has committed and the answer is on its way: only what has not
 * even its values, without BindComplete in an answer that would show one, has not run.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
 */
export function hasNeverRun (error: Error, { preludeDone, answers: [first], isUnbound }: Exchange): boolean {
  const { code, routine } = error as Refusal
  if (preludeDone > 0 || first === undefined || first.tags.length > 0 || first.rows.length > 0) return false
  return idleLimits.has(code) ? (routine ?? interrupts) === interrupts : isUnbound && endings.has(code) && routine === interrupts
}
