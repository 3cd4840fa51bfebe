/**
 * The first statements of a new connection do not wait until it is known how PostgreSQL writes values there, which isolation level is its default, and
 * whether a pooler is in between. The connection before it tells what is to be expected, and a guard leads them, under the same Sync: where something
 * else is found, the guard fails, and PostgreSQL skips what is behind it. Then the connection is asked, and the statements are sent once more.
 */
import { sqlStates } from '../errors/sqlstate-codes.js'
import { beginsTransaction } from '../statement/leading-statement.js'
import { placeOfAdded } from './batch.js'
import { oddity } from './exact-settings.js'
import type { LeadingStatement } from '../statement/leading-statement.js'
import type { Batch } from './batch.js'
import type { PoolerPolicy } from './connection-home.js'
import type { Exchange } from './exchange/exchange.js'

/** The words of the error are for PostgreSQL's log. */
const text = `select case when current_setting('default_transaction_isolation') like 'read %' = $1 and pg_backend_pid() = $2 and ${oddity} is not true then 'true' ` +
  "else 'this connection has other settings than the one before, or a pooler is in between' end::boolean"

/** The statement that fails unless a connection is one to this process of PostgreSQL, writes values as they are read, and is READ COMMITTED by default, or is not. */
export function guardOf (readCommitted: boolean, processId: number): LeadingStatement {
  return { text, name: undefined, values: [String(readCommitted), String(processId)] }
}

/** Whether the guard of a batch has passed. */
export function hasPassed (batch: Batch, { preludeDone }: Exchange): boolean {
  return preludeDone > placeOfAdded(batch)
}

/** Whether a batch has failed at its guard, so that nothing behind it has run. */
export function isStopped (batch: Batch, { preludeDone }: Exchange, error: Error | undefined): boolean {
  return preludeDone === placeOfAdded(batch) && Object(error).code === sqlStates.invalidTextRepresentation
}

/** The limits that a batch lacks, because the pooler was found after its sender had asked for them. */
export function lateLimits ({ prelude, tasks: [task] }: Batch, pooler: PoolerPolicy): readonly LeadingStatement[] {
  const limits = beginsTransaction(prelude) || task === undefined ? pooler.limits : pooler.leading(task.statement)
  return limits.filter((limit) => !prelude.includes(limit))
}
