/**
 * The exchange for a client with unknown internals: of another copy of pg, or with a `query` method that was replaced. Each
 * statement is a query of its own, sent after the response to the one before; nothing is sent after a failure.
 *
 * A user's own pool is used as it is, and `register` cannot refuse such a client, because its internals are checked only
 * after it has connected. These 80 lines serve it instead.
 */
import { Response } from './response.js'
import { asText, parsersOfClient, prepareValue } from '../../pg/values.js'
import type { ClientBase, QueryArrayResult } from 'pg'
import type { Exchange } from './exchange.js'
import type { LeadingStatement } from '../../statement/leading-statement.js'
import type { Statement } from '../../statement/statement.js'

interface Query {
  readonly text: string
  readonly values: unknown[]
}

type Results = QueryArrayResult<Array<string | null>> | Array<QueryArrayResult<Array<string | null>>>

export class SequentialExchange implements Exchange {
  readonly responses: Response[] = []
  readonly isStale = false
  readonly staleName = undefined
  readonly isUnbound = false
  preludeDone = 0
  preludeValue: string | undefined
  isAnswered = false
  readonly #client: ClientBase
  readonly #prelude: readonly LeadingStatement[]
  readonly #queries: Query[] = []

  constructor (client: ClientBase, prelude: readonly LeadingStatement[]) {
    this.#client = client
    this.#prelude = prelude
  }

  add (statement: Statement): void {
    this.#queries.push({ text: statement.text, values: statement.values.map(prepareValue) })
    this.responses.push(new Response(statement, undefined))
  }

  send (finished: (error: Error | undefined) => void): void {
    const { preludeDone } = this
    const prelude = this.#prelude[preludeDone]
    const index = this.responses.findIndex(({ isDone }) => !isDone)
    const query = prelude === undefined ? this.#queries[index] : { text: prelude.text, values: prelude.values.map(prepareValue) }
    if (query === undefined) {
      this.isAnswered = true
      return finished(undefined)
    }
    // The statement's own reader reads the rows, as in a pipelined exchange.
    const config = { ...query, rowMode: 'array' as const, types: asText }
    this.#client.query(config, (error: Error | null, results: Results) => {
      if (error !== null) return finished(error)
      if (prelude === undefined) this.#read(index, results)
      else this.#take(prelude, results)
      this.send(finished)
    })
  }

  /**
   * Some clients report an error before PostgreSQL is ready again, others after that. A client answers queries in order, so the
   * status is certain after the response to an empty query, which cannot fail by itself.
   */
  awaitReady (ready: () => void): void {
    this.#client.query('', () => ready())
  }

  #take ({ asks }: LeadingStatement, results: Results): void {
    this.preludeDone++
    if (asks !== true) return
    for (const { rows: [row] } of [results].flat()) if (row !== undefined) this.preludeValue = String(row[0])
  }

  #read (index: number, results: Results): void {
    const response = this.responses[index] as Response
    for (const { fields, rows, command, rowCount } of [results].flat()) {
      if (fields.length > 0) response.describe(fields, parsersOfClient(this.#client))
      for (const row of rows) response.row(row)
      response.complete(command === null ? undefined : [command, rowCount].join(' ').trimEnd())
    }
  }
}
