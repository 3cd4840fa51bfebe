/**
 * The exchange for a client with unknown internals: of another copy of pg, or with a `query` method that was replaced. Each
 * statement is a query of its own, sent after the response to the one before; nothing but ROLLBACK is sent after a failure.
 *
 * A user's own pool is used as it is, and `register` cannot refuse such a client, because its internals are checked only
 * after it has connected. These 100 lines serve it instead.
 */
import { Response } from './response.js'
import { ignore } from '../../runtime/promises.js'
import { asText, parsersOfClient, prepareValue } from '../../pg/values.js'
import type { ClientBase, QueryArrayResult } from 'pg'
import type { Exchange } from './exchange.js'
import type { LeadingStatement } from '../../statement/leading-statement.js'
import type { Statement } from '../../statement/statement.js'

/** One query: its text, its values as text, and what is done with its response. */
interface Step {
  readonly text: string
  readonly values: unknown[]
  readonly done: (results: Results) => void
}

type Results = QueryArrayResult<Array<string | null>> | Array<QueryArrayResult<Array<string | null>>>

const begin: Step = { text: 'begin', values: [], done: ignore }
const commit: Step = { text: 'commit', values: [], done: ignore }

export class SequentialExchange implements Exchange {
  readonly responses: Response[] = []
  readonly isStale = false
  readonly staleName = undefined
  readonly isUnbound = false
  preludeDone = 0
  preludeValue: string | undefined
  isAnswered = false
  readonly #client: ClientBase
  readonly #isTransaction: boolean
  readonly #steps: Step[] = []

  /** With `isTransaction` the prelude and the statements are one transaction, as they are under one Sync. */
  constructor (client: ClientBase, prelude: readonly LeadingStatement[], isTransaction: boolean) {
    this.#client = client
    this.#isTransaction = isTransaction
    if (isTransaction) this.#steps.push(begin)
    for (const leading of prelude) {
      this.#steps.push({ text: leading.text, values: leading.values.map(prepareValue), done: (results) => this.#take(leading, results) })
    }
  }

  add (statement: Statement): void {
    const response = new Response(statement, undefined)
    this.#steps.push({ text: statement.text, values: statement.values.map(prepareValue), done: (results) => this.#read(response, results) })
    this.responses.push(response)
  }

  send (finished: (error: Error | undefined) => void): void {
    if (this.#isTransaction) this.#steps.push(commit)
    this.#proceed(finished)
  }

  #proceed (finished: (error: Error | undefined) => void): void {
    const step = this.#steps.shift()
    if (step === undefined) {
      this.isAnswered = true
      return finished(undefined)
    }
    const { text, values, done } = step
    // The statement's own reader reads the rows, as in a pipelined exchange.
    this.#client.query({ text, values, rowMode: 'array' as const, types: asText }, (error: Error | null, results: Results) => {
      if (error === null) {
        done(results)
        this.#proceed(finished)
      } else if (this.#isTransaction && step !== commit) this.#client.query('rollback', () => finished(error))
      else finished(error)
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

  #read (response: Response, results: Results): void {
    for (const { fields, rows, command, rowCount } of [results].flat()) {
      if (fields.length > 0) response.describe(fields, parsersOfClient(this.#client))
      for (const row of rows) response.row(row)
      response.complete(command === null ? undefined : [command, rowCount].join(' ').trimEnd())
    }
  }
}
