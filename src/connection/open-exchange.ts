import { isOrdinary } from '../pg/client.js'
import { beginsTransaction } from '../statement/leading-statement.js'
import { PipelinedExchange } from './exchange/pipelined-exchange.js'
import { SequentialExchange } from './exchange/sequential-exchange.js'
import type { Batch } from './batch.js'
import type { ClientState } from './client-state.js'
import type { NamePolicy } from './connection-home.js'
import type { Exchange } from './exchange/exchange.js'

/** The exchange for a batch, as its client can run it. A repeated batch has no names. */
export function openExchange ({ client, prepared, status }: ClientState, { prelude, tasks, isRepeated }: Batch, { prepares, mostNames, unnamed }: NamePolicy): Exchange {
  if (!isOrdinary(client)) return new SequentialExchange(client, prelude, prelude.length > 0 && status === 'I' && !beginsTransaction(prelude))
  const isAlone = prelude.length === 0 && tasks.length === 1
  // A name that this batch needs must not be closed to make room for another one.
  if (!isAlone) for (const { statement: { name } } of tasks) if (name !== undefined) prepared.keep(name)
  return new PipelinedExchange(client, { prelude, isAlone, prepared: prepares && !isRepeated ? prepared : undefined, mostNames, unnamed })
}
