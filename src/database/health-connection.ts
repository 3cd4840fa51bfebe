/**
 * The connection of health checks: opened for the first query, and kept for a while for the next one.
 * No failure may end the process, and a silent socket is never awaited.
 */
import { ConnectionError } from '../errors/errors.js'
import { answerInTime, endInTime } from '../pg/answer-in-time.js'
import { DatabaseClient, isStillFit } from '../pg/database-client.js'
import { destroySocket, holdProcess } from '../pg/client.js'
import { ignore } from '../runtime/promises.js'
import type { Client, ClientConfig, QueryResult, QueryResultRow } from 'pg'

interface Deadline {
  readonly timeoutMillis: number
  /** On the clock of `performance.now()`. */
  readonly at: number
}

/** PostgreSQL did not answer within the time limit. */
export class NoAnswer extends Error {}

export class HealthConnection {
  readonly #config: ClientConfig
  readonly #idleMillis: number
  readonly #busy = new Set<Client>()
  #kept: Client | undefined
  #idleTimer: NodeJS.Timeout | undefined
  #closed = false

  /** `idleMillis`: how long a connection is kept for the next query. */
  constructor (config: ClientConfig, idleMillis: number) {
    this.#config = config
    this.#idleMillis = idleMillis
  }

  get isClosed (): boolean { return this.#closed }

  /** Runs a query that returns exactly one row. @throws {NoAnswer} if there is no answer in time */
  async ask<Row extends QueryResultRow> (text: string, timeoutMillis: number): Promise<Row> {
    if (this.#closed) throw new ConnectionError('The database was closed')
    const deadline = { timeoutMillis, at: performance.now() + timeoutMillis }
    const kept = this.#takeKept()
    if (kept !== undefined) {
      try {
        const answer = await this.#run(kept, () => kept.query<Row>(text), deadline)
        if (isStillFit(kept)) return answer
      } catch (error) {
        // The idle connection may have died unnoticed: a new one decides. After a timeout there is no time left.
        if (error instanceof NoAnswer) throw error
      }
    }
    const client = this.#newClient()
    return await this.#run(client, () => client.connect().then(() => client.query<Row>(text)), deadline)
  }

  /** Ends the connection, and running queries with it. */
  async close (): Promise<void> {
    this.#closed = true
    for (const client of this.#busy) destroySocket(client)
    await this.#dismiss()
  }

  async #run<Row extends QueryResultRow> (client: Client, question: () => Promise<QueryResult<Row>>, { timeoutMillis, at }: Deadline): Promise<Row> {
    let late = false
    const limit = { timeoutMillis: Math.max(at - performance.now(), 1), late: () => { late = true } }
    this.#busy.add(client)
    try {
      const { rows } = await answerInTime(client, question, limit).finally(() => this.#busy.delete(client))
      this.#keep(client)
      return rows[0] as Row
    } catch (error) {
      destroySocket(client)
      throw late ? new NoAnswer(`no answer within ${timeoutMillis} ms`) : error
    }
  }

  #newClient (): Client {
    const client = new DatabaseClient(this.#config)
    // Without a listener a connection that is lost while it is idle would end the process.
    client.on('error', ignore)
    client.once('end', () => { if (this.#kept === client) this.#takeKept() })
    return client
  }

  #keep (client: Client): void {
    // Two queries at a time are rare, so one connection is kept.
    const surplus = this.#takeKept()
    if (surplus !== undefined) endInTime(surplus)
    // The kept connection must not keep the process alive.
    holdProcess(client, false)
    this.#kept = client
    this.#idleTimer = setTimeout(() => this.#dismiss(), this.#idleMillis).unref()
  }

  #takeKept (): Client | undefined {
    const kept = this.#kept
    if (kept !== undefined) holdProcess(kept, true)
    clearTimeout(this.#idleTimer)
    this.#kept = undefined
    return kept
  }

  async #dismiss (): Promise<void> {
    const kept = this.#takeKept()
    if (kept !== undefined) await endInTime(kept)
  }
}
