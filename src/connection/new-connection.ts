/** What becomes of the first statements of a new connection, which a guard leads: see {@link guardOf}. */
import { sqlStates } from '../errors/sqlstate-codes.js'
import { beginsTransaction } from '../statement/leading-statement.js'
import { mayFollow } from '../statement/may-follow.js'
import { ownPrelude, placeOfAdded, withAdded } from './batch.js'
import type { LeadingStatement } from '../statement/leading-statement.js'
import type { Batch, Task } from './batch.js'
import type { PoolerPolicy } from './connection-home.js'
import type { Exchange } from './exchange/exchange.js'

/**
 * Whether a guard may lead a batch. It is a query: SET TRANSACTION must come before the first query of a transaction, LOCK should, and `begin()` may be followed
 * by either. User SQL that may be several statements, or that cannot run inside a transaction, is left alone, too.
 */
export function mayBeGuarded ({ tasks: [task] }: Batch): boolean {
  const { statement } = task as Task
  return statement.text !== '' && mayFollow(statement)
}

/** Whether the guard of a batch has passed. */
export function hasPassed (batch: Batch, { preludeDone }: Exchange): boolean {
  return batch.added > 0 && preludeDone > placeOfAdded(batch)
}

/** Whether a batch has failed at its guard, so that nothing behind it has run. */
export function isStopped (batch: Batch, { preludeDone }: Exchange, error: Error | undefined): boolean {
  return batch.added > 0 && preludeDone === placeOfAdded(batch) && Object(error).code === sqlStates.invalidTextRepresentation
}

/**
 * A batch that is sent once more, because nothing of it has run. If a pooler was found after its sender had asked for the limits, it has them now, and a
 * correction that is due behind them.
 */
export function repeated (batch: Batch, correction: LeadingStatement | undefined, pooler: PoolerPolicy): Batch {
  const own = { ...batch, prelude: ownPrelude(batch), added: 0 }
  const limits = beginsTransaction(own.prelude) ? pooler.limits : pooler.leading((own.tasks[0] as Task).statement)
  const late = limits.filter((limit) => !own.prelude.includes(limit))
  return late.length === 0 ? own : withAdded(own, correction === undefined ? late : [...late, correction], 'I')
}
