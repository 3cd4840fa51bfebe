/** What becomes of the first statements of a new connection, which a guard leads: see {@link guardOf}. */
import { sqlStates } from '../errors/sqlstate-codes.js'
import { beginsTransaction } from '../statement/leading-statement.js'
import { placeOfAdded } from './batch.js'
import type { LeadingStatement } from '../statement/leading-statement.js'
import type { Batch, Task } from './batch.js'
import type { PoolerPolicy } from './connection-home.js'
import type { Exchange } from './exchange/exchange.js'

/** Whether the guard of a batch has passed. */
export function hasPassed (batch: Batch, { preludeDone }: Exchange): boolean {
  return preludeDone > placeOfAdded(batch)
}

/** Whether a batch has failed at its guard, so that nothing behind it has run. */
export function isStopped (batch: Batch, { preludeDone }: Exchange, error: Error | undefined): boolean {
  return preludeDone === placeOfAdded(batch) && Object(error).code === sqlStates.invalidTextRepresentation
}

/** The limits that a batch lacks, because the pooler was found after its sender had asked for them. */
export function lateLimits ({ prelude, tasks }: Batch, pooler: PoolerPolicy): readonly LeadingStatement[] {
  const limits = beginsTransaction(prelude) ? pooler.limits : pooler.leading((tasks[0] as Task).statement)
  return limits.filter((limit) => !prelude.includes(limit))
}
