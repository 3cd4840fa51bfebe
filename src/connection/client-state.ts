import { destroySocket, followReports, isOrdinary, processOf } from '../pg/client.js'
import { correct, correctForTransaction, isChangedBy, isOddReport, oddity } from './exact-settings.js'
import { PreparedStatements } from './prepared-statements.js'
import type { PoolClient, QueryResult, QueryResultRow } from 'pg'
import type { TransactionStatus } from '../pg/client.js'
import type { Entry } from '../runtime/linked-list.js'
import type { Statement } from '../statement/statement.js'

const clients = new WeakMap<PoolClient, ClientState>()

/** Alive, which snapshots does it give, and does it write values as they are read? Asked of a new connection, and of one that stood idle for long. */
const probe = `select current_setting('default_transaction_isolation') as isolation, pg_backend_pid() as pid, ${oddity} as odd`

interface Probed {
  readonly isolation: string
  readonly pid: number
  readonly odd: boolean | null
}

/** The name of PostgreSQL's statement limit. */
const limitName = /statement_timeout/i

/** SQLSTATE of the notice that there is no transaction to end. */
const noTransaction = '25P01'

/** What is known of one of the pool's clients for as long as it lives, from checkout to checkout. */
export class ClientState {
  readonly client: PoolClient
  /** What PostgreSQL keeps by its name for this connection. */
  readonly prepared = new PreparedStatements()
  /** How the connection was lost, if it was. */
  lost: Error | undefined
  /** Whether PostgreSQL, told to end a transaction, said that there was none; whoever wants to know says `false` before. */
  missedTransaction = false
  /** Whether somebody's own SQL may have changed the limit of its statements, for as long as the session of the server lasts. */
  hasOwnLimit = false
  /** What has to lead each transaction, for PostgreSQL to write values as they are read, where a setting does not stay with the connection. */
  correction: string | undefined
  /** Whether a setting may have changed by which PostgreSQL writes values: it is asked before the next checkout. */
  isDoubtful = false
  /** Set while it is in the hands of somebody who does not go through the sessions. */
  taken: Entry<TakenClient> | undefined
  #idleSince: number | undefined
  #isEnded = false
  #isolation = ''
  #isCorrected = false

  private constructor (client: PoolClient) {
    this.client = client
    // pg-pool listens only while a client is idle: a backend lost in use would end the process if nobody else did.
    client.on('error', (error) => { this.lost ??= error })
    client.on('notice', ({ code }) => { if (code === noTransaction) this.missedTransaction = true })
    client.on('end', () => { this.lost ??= new Error('The connection has ended') })
    if (isOrdinary(client)) followReports(client, (name, value) => { if (this.correction === undefined && isOddReport(name, value)) this.isDoubtful = true })
  }

  /** The one record of a client. */
  static of (client: PoolClient): ClientState {
    let pooled = clients.get(client)
    if (pooled === undefined) clients.set(client, pooled = new ClientState(client))
    return pooled
  }

  /** How long ago it was given back, in milliseconds; undefined while it is new. */
  get idleMillis (): number | undefined { return this.#idleSince && performance.now() - this.#idleSince }

  /** Whether a statement outside a transaction sees what one inside would. */
  get readCommitted (): boolean { return this.#isolation === 'read committed' || this.#isolation === 'read uncommitted' }

  /** PostgreSQL's last word on the transaction. */
  get status (): TransactionStatus { return this.client.getTransactionStatus() ?? 'I' }

  /** Resolves when the server has answered within the time; rejects when it has not, and the connection is useless. */
  async probe (timeoutMillis: number): Promise<void> {
    const { rows } = await this.#ask<Probed>(probe, timeoutMillis)
    this.isDoubtful = false
    for (const { isolation, pid, odd } of rows) {
      this.#isolation = isolation
      if (odd === true) await this.#correct(pid, timeoutMillis)
    }
  }

  /**
   * Records which settings the user's own SQL may have changed: how values are written, and `statement_timeout`.
   * Returns `true` if the latter holds for this transaction only (`SET LOCAL`), which ends before the connection is released.
   */
  note ({ text, values }: Statement): boolean {
    if (isChangedBy(text, values)) this.isDoubtful = true
    if (!limitName.test(text) && !values.includes('statement_timeout')) return false
    if (/\bset\s+local\b/i.test(text)) return true
    this.hasOwnLimit = true
    return false
  }

  /** Behind a pooler, which gives itself out as another backend, a setting would stay with somebody else's connection. */
  async #correct (pid: number, timeoutMillis: number): Promise<void> {
    if (isOrdinary(this.client) && processOf(this.client) !== pid) this.correction = correctForTransaction
    else {
      await this.#ask(correct, timeoutMillis)
      this.#isCorrected = true
    }
  }

  /** Forgets what the last user left in the session: settings, temporary tables, advisory locks, prepared statements. */
  async reset (timeoutMillis: number): Promise<void> {
    await this.#ask('discard all', timeoutMillis)
    this.prepared.clear()
    this.hasOwnLimit = false
    // What was set for the connection is gone, too.
    if (this.#isCorrected) await this.#ask(correct, timeoutMillis)
    this.isDoubtful = false
  }

  async #ask<Row extends QueryResultRow> (text: string, timeoutMillis: number): Promise<QueryResult<Row>> {
    const timer = setTimeout(() => destroySocket(this.client), timeoutMillis)
    try {
      return await this.client.query<Row>(text)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Gives the client back to pg's pool, or ends it at once; of one that was ended there is nothing to give back. */
  release (destroyed: boolean): void {
    if (this.#isEnded) return
    this.#isEnded = destroyed
    this.#idleSince = performance.now()
    this.client.release(destroyed)
    if (destroyed) destroySocket(this.client)
  }
}

/** A client that somebody took from pg's pool with `pool.connect()`. */
export interface TakenClient {
  readonly client: PoolClient
  /** When, on the clock of `performance.now()`. */
  readonly since: number
}
