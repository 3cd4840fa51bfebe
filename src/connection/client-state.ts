import { answerInTime } from '../pg/answer-in-time.js'
import { destroySocket, followReports, isOrdinary, processOf } from '../pg/client.js'
import { isStillFit } from '../pg/database-client.js'
import { guardOf } from './connection-guard.js'
import { correct, correctForTransaction, isChangedBy, isOddReport, oddity } from './exact-settings.js'
import { PreparedStatements } from './exchange/prepared-statements.js'
import { limitChangedBy } from './statement-limit.js'
import { sqlStates } from '../errors/sqlstate-codes.js'
import type { PoolClient, QueryResult, QueryResultRow } from 'pg'
import type { TransactionStatus } from '../pg/client.js'
import type { Entry } from '../runtime/linked-list.js'
import type { LeadingStatement } from '../statement/leading-statement.js'
import type { Statement } from '../statement/statement.js'

const clients = new WeakMap<PoolClient, ClientState>()

/** Checks that a connection answers, and reads its isolation level and whether it writes values as they are read. */
const probe = `select current_setting('default_transaction_isolation') as isolation, pg_backend_pid() as pid, ${oddity} as odd`

interface Probed {
  readonly isolation: string
  /** Servers that only resemble PostgreSQL may lack it. */
  readonly pid?: number
  readonly odd: boolean | null
}

/** SQLSTATE of the notice that there is no transaction to end. */
const noTransaction = sqlStates.noActiveSqlTransaction

/** The state of one of the pool's clients. It outlives a checkout. */
export class ClientState {
  readonly client: PoolClient
  /** The prepared statements of this connection. */
  readonly prepared = new PreparedStatements()
  /** How the connection was lost, if it was. */
  lost: Error | undefined
  /** Whether PostgreSQL reported that there was no transaction to end; the caller resets it to `false` before. */
  missedTransaction = false
  /** Whether the user's own SQL may have changed `statement_timeout` for the rest of the server session. */
  hasOwnLimit = false
  /** The statement that makes PostgreSQL write values as they are read. It comes first in each transaction if a setting does not stay with the connection. */
  correction: LeadingStatement | undefined
  /** Leads the first statements of a new connection, which is taken to be like the one before. */
  guard: LeadingStatement | undefined
  /** Whether a setting that decides how PostgreSQL writes values may have changed: the next checkout checks it. */
  isDoubtful = false
  /** Whether it has not answered in time. */
  isSilent = false
  /** Whether the server has reported that it is no longer the one that the URL asks for. */
  isMisfit = false
  /** Whether the connection must be replaced, because its server, or another one at the same address, refuses writes. */
  isOutdated = false
  /** Whether the process id that was reported is not the backend's: a pooler is in between. */
  isPooled = false
  /** How often it was passed on since it was last in pg's pool. */
  passes = 0
  /** Set while a program holds the client directly, through `pool.connect()`. */
  taken: Entry<TakenClient> | undefined
  #idleSince: number | undefined
  #isEnded = false
  #isolation = ''
  #isUsual = false
  #isCorrected = false

  private constructor (client: PoolClient) {
    this.client = client
    // pg-pool listens only while a client is idle: without this listener, a backend that is lost in use would end the process.
    client.on('error', (error) => { this.lost ??= error })
    client.on('notice', ({ code }) => { if (code === noTransaction) this.missedTransaction = true })
    client.on('end', () => { this.lost ??= new Error('The connection has ended') })
    if (isOrdinary(client)) followReports(client, (name, value) => this.#reported(name, value))
  }

  #reported (name: string, value: string): void {
    if (this.correction === undefined && isOddReport(name, value)) this.isDoubtful = true
    if (!isStillFit(this.client)) this.isMisfit = true
  }

  /** The state of a client; there is one for each. */
  static of (client: PoolClient): ClientState {
    let pooled = clients.get(client)
    if (pooled === undefined) clients.set(client, pooled = new ClientState(client))
    return pooled
  }

  /** How long ago it was released, in milliseconds; undefined while it is new. */
  get idleMillis (): number | undefined { return this.#idleSince && performance.now() - this.#idleSince }

  /** Whether a statement outside a transaction sees the same rows as one inside. */
  get readCommitted (): boolean { return this.#isolation === 'read committed' || this.#isolation === 'read uncommitted' }

  /** The transaction status that PostgreSQL reported last. */
  get status (): TransactionStatus { return this.client.getTransactionStatus() ?? 'I' }

  /** Its default isolation level, if another connection is probably like this one: it needs no correction, and no pooler is in between. */
  get usualIsolation (): string | undefined { return this.#isUsual ? this.#isolation : undefined }

  /** Takes a new connection to be like another one, until its first statements have shown it. */
  expect (isolation: string): void {
    this.#isolation = isolation
    this.guard = guardOf(this.readCommitted, processOf(this.client))
  }

  /** Resolves when the server has answered in time; else rejects, and the connection must not be used. Ends the transaction that its guard has stopped. */
  async probe (timeoutMillis: number): Promise<void> {
    if (this.status !== 'I') await this.#ask('rollback', timeoutMillis)
    this.guard = undefined
    const { rows } = await this.#ask<Probed>(probe, timeoutMillis)
    this.isDoubtful = false
    for (const { isolation, pid, odd } of rows) {
      this.#isolation = isolation
      const isSame = isOrdinary(this.client) && processOf(this.client) === pid
      this.isPooled = pid !== undefined && isOrdinary(this.client) && !isSame
      this.#isUsual = isSame && odd !== true
      if (odd === true) await this.#correct(timeoutMillis)
    }
  }

  /**
   * Records which settings the user's own SQL may have changed: how values are written, and `statement_timeout`.
   * Returns `true` if the latter holds for this transaction only, which ends before the connection is released.
   */
  note (statement: Statement): boolean {
    if (isChangedBy(statement.text, statement.values)) this.isDoubtful = true
    const changed = limitChangedBy(statement)
    if (changed === 'session') this.hasOwnLimit = true
    return changed === 'transaction'
  }

  /** Behind a pooler a setting would stay with another program's connection. */
  async #correct (timeoutMillis: number): Promise<void> {
    if (this.isPooled) this.correction = correctForTransaction
    else {
      await this.#ask(correct, timeoutMillis)
      this.#isCorrected = true
    }
  }

  /** Discards the state of the server session: settings, temporary tables, advisory locks, prepared statements. */
  async reset (timeoutMillis: number): Promise<void> {
    await this.#ask('discard all', timeoutMillis)
    this.prepared.clear()
    this.hasOwnLimit = false
    // DISCARD ALL resets our own correction, too.
    if (this.#isCorrected) await this.#ask(correct, timeoutMillis)
    this.isDoubtful = false
  }

  #ask<Row extends QueryResultRow> (text: string, timeoutMillis: number): Promise<QueryResult<Row>> {
    return answerInTime(this.client, () => this.client.query<Row>(text), { timeoutMillis, late: () => { this.isSilent = true } })
  }

  /** Releases the client to pg's pool, or destroys it; a destroyed client is not released again. */
  release (destroyed: boolean): void {
    if (this.#isEnded) return
    this.#isEnded = destroyed
    this.passes = 0
    this.#idleSince = performance.now()
    this.client.release(destroyed)
    if (destroyed) destroySocket(this.client)
  }
}

/** A client that a program took from pg's pool with `pool.connect()`. */
export interface TakenClient {
  readonly client: PoolClient
  /** The time of the checkout, on the clock of `performance.now()`. */
  readonly since: number
}
