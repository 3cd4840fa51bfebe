import type { QueryResultRow } from 'pg'
import type { ConnectionSource, LentConnection } from '../pool/connection-source.js'
import type { Caller } from '../statement/caller.js'

/** A query of this package's own, for a check of the health or of the start, and how long it may take. */
export interface PoolQuestion {
  readonly question: string
  /** The values of its parameters. @defaultValue none */
  readonly values?: readonly unknown[] | undefined
  readonly caller: Caller
  readonly timeoutMillis: number
}

/** Runs a query that returns exactly one row over a connection of the pool. @throws if none is free, or there is no answer in time */
export function askPool<Row extends QueryResultRow> (pool: Pick<ConnectionSource, 'acquire'>, { question, values = [], caller, timeoutMillis }: PoolQuestion): Promise<Row> {
  return new Promise((resolve, reject) => {
    let held: LentConnection | undefined
    const cancel = pool.acquire({
      caller,
      lend: (connection) => {
        held = connection
        connection.run({ kind: 'read', text: question, values, context: { operation: 'health' } }).then(({ error, result }) => {
          clearTimeout(timer)
          connection.release()
          if (error === undefined) resolve((result as { rows: never[] }).rows[0] as unknown as Row)
          else reject(error)
        })
      },
      refuse: (error) => {
        clearTimeout(timer)
        reject(error)
      }
    })
    const timer = setTimeout(() => {
      cancel(new Error('No connection came free in time'))
      held?.destroy()
    }, timeoutMillis)
  })
}
