/**
 * One checked-out connection: it runs statements one after the other, in call order, and is released exactly once.
 *
 * Three failures are detected here, between the response to one statement and the sending of the next: BEGIN failed, the user's
 * own SQL ended the transaction, or the connection was lost. No other place is early enough. Nothing is sent after any of
 * them, because the next statement would commit by itself.
 */
import { ConnectionError, TransactionClosedError } from '../errors/errors.js'
import { isConnectionLost } from '../errors/to-database-error.js'
import { serverOf } from '../channels/place.js'
import { bytesReadBy, requestCancel, type TransactionStatus } from '../pg/client.js'
import { add, contextOf, firstFailed, ownPrelude, preludeDoneOf, refuse, withAdded, withReason } from './batch.js'
import { refusalAfter } from './ended-by-user.js'
import { hasNeverRun, refusedUnsent } from './never-ran.js'
import { hasPassed, isStopped, mayBeGuarded, repeated } from './new-connection.js'
import { outcomeOf, skipped } from './outcome.js'
import { openExchange } from './open-exchange.js'
import { beginsTransaction, noLead } from '../statement/leading-statement.js'
import type { ServerProcess } from '../channels/place.js'
import type { Entry } from '../runtime/linked-list.js'
import type { Caller } from '../statement/caller.js'
import type { LeadingStatement } from '../statement/leading-statement.js'
import type { Statement } from '../statement/statement.js'
import type { Batch, Finish, SentBatch, Task } from './batch.js'
import type { ClientState } from './client-state.js'
import type { ConnectionHome, Replace } from './connection-home.js'
import type { Exchange } from './exchange/exchange.js'
import type { Outcome } from './outcome.js'
import type { Response } from './exchange/response.js'
import type { Running } from './running.js'

export class Connection {
  caller: Caller
  /** The time of the checkout, on the clock of `performance.now()`. */
  readonly since = performance.now()
  /** Its entry in the list of checked-out connections. */
  checkedOutEntry: Entry<Connection> | undefined
  #pooled: ClientState
  readonly #home: ConnectionHome<Connection>
  readonly #queue: Batch[] = []
  readonly #waiting: Array<() => void> = []
  #active: Batch | undefined
  #inTransaction = false
  #isSettling = false
  #sentAt = 0
  #hasOwnLimit = false
  #refusal: Error | undefined
  #released = false
  /** Whether no response has come yet: until then the client can be replaced without the caller's notice. */
  #isFirst = true
  /** Set while another client is awaited: fails the statements that wait for it. */
  #giveUp: (() => void) | undefined

  constructor (pooled: ClientState, caller: Caller, home: ConnectionHome<Connection>) {
    this.#pooled = pooled
    this.caller = caller
    this.#home = home
  }

  /** The client of this connection. */
  get pooled (): ClientState { return this.#pooled }

  /** Whether each statement on this connection has a snapshot of its own, unless BEGIN sets another isolation level. */
  get readCommitted (): boolean { return this.pooled.readCommitted }

  /** The statements that follow BEGIN on this connection: the limits, behind a pooler. */
  get limits (): readonly LeadingStatement[] { return this.#home.pooler.limits }

  /** The statements in front of one that commits by itself on this connection: the limits, behind a pooler. */
  leading (statement: Statement): readonly LeadingStatement[] { return this.#home.pooler.leading(statement) }

  /** The server that it is connected to, and its process there. */
  get server (): ServerProcess { return serverOf(this.pooled.client) }

  /** The transaction status that PostgreSQL reported last. */
  get status (): TransactionStatus { return this.pooled.status }

  /** The state of the connection, for the log. */
  get state (): 'running' | 'idle in transaction' | 'idle' {
    if (this.#active !== undefined) return 'running'
    return this.status === 'I' ? 'idle' : 'idle in transaction'
  }

  /** The statements that are running, if any. */
  get running (): Running | undefined {
    if (this.#active === undefined) return undefined
    const texts = this.#active.tasks.map(({ statement: { text } }) => text)
    const isLed = this.#active.prelude.length > 0
    return { texts, since: this.#sentAt, inTransaction: this.#inTransaction, isLed, hasOwnLimit: this.#hasOwnLimit || this.pooled.hasOwnLimit }
  }

  /** How many bytes the server has sent so far. */
  get bytesRead (): number { return bytesReadBy(this.pooled.client) }

  /** The reason why nothing more is sent over this connection, if any. */
  get refusal (): Error | undefined {
    if (this.#released) this.#refusal ??= new TransactionClosedError()
    return this.#refusal ?? this.pooled.lost
  }

  /** From the next statement on, the connection is inside a transaction, until {@link leaveTransaction}. */
  enterTransaction (): void { this.#inTransaction = true }

  /** The next statement ends the transaction, and its sender limits its time. */
  leaveTransaction (): void {
    this.#inTransaction = false
    this.#isSettling = true
  }

  /** Whether COMMIT or ROLLBACK is running; its sender limits its time. */
  get isSettling (): boolean { return this.#isSettling }

  /** Runs a statement after all earlier ones; `prelude` is sent with it and runs first. Never rejects. */
  run (statement: Statement, prelude: readonly LeadingStatement[] = noLead): Promise<Outcome> {
    return new Promise((resolve) => this.send([{ statement, done: resolve }], prelude))
  }

  /** Runs statements in one round trip, after all earlier ones. After a failure PostgreSQL skips the rest. */
  send (tasks: readonly Task[], prelude: readonly LeadingStatement[] = noLead): void {
    this.#queue.push({ tasks, prelude, added: 0, isRepeated: false })
    this.#proceed()
  }

  /** Leaves the connection to work that sends over its client by itself, for another caller; without work that has ended. */
  occupy (work: Batch | undefined, caller: Caller): void {
    this.caller = caller
    this.#active = work
    this.#sentAt = performance.now()
    this.#proceed()
  }

  /** Whether it was released. */
  get isReleased (): boolean { return this.#released }

  /** Whether nothing runs. */
  get isIdle (): boolean { return this.#active === undefined }

  /** Resolves when every statement has its response. */
  idle (): Promise<void> {
    return new Promise((resolve) => {
      if (this.#active === undefined) resolve()
      else this.#waiting.push(resolve)
    })
  }

  /** Sends a cancel request for the running statement; resolves when the request can hit no later statement. */
  async cancel (timeoutMillis: number): Promise<void> {
    if (this.#active !== undefined && this.pooled.lost === undefined) await requestCancel(this.pooled.client, timeoutMillis)
  }

  /** Releases the connection to the pool; destroys it unless it is certainly clean. */
  release (): void {
    if (this.#active === undefined && this.refusal === undefined && this.status === 'I') this.#return(false)
    else this.destroy()
  }

  /** Sends nothing more, and destroys the connection when it is released. */
  distrust (reason: Error): void { this.#refusal ??= reason }

  /** Destroys the connection now: PostgreSQL rolls its transaction back. */
  destroy (cause?: unknown): void {
    if (this.#released) return
    this.#refusal ??= new ConnectionError(undefined, { cause })
    this.#return(true)
  }

  #return (destroyed: boolean): void {
    this.#released = true
    // A connection that awaits another client is released together with that one.
    if (this.#giveUp === undefined) this.#home.takeBack(this, destroyed)
    else this.#giveUp()
  }

  /** Sends the next batch; refuses all batches if nothing may be sent any more. */
  #proceed (): void {
    while (this.#active === undefined && this.#queue.length > 0) {
      const { refusal } = this
      const batch = this.#queue.shift() as Batch
      const replace = refusal === undefined ? undefined : this.#replacement
      if (refusal === undefined) this.#send(batch)
      // It was lost between its checkout and its first statement.
      else if (replace !== undefined) {
        this.#isFirst = false
        this.#sendElsewhere(batch, replace)
      } else refuse(batch, refusal)
    }
    if (this.#active === undefined && this.#waiting.length > 0) for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Gets another client in place of a lost one; undefined if the caller would notice, or nothing may be sent any more. */
  get #replacement (): Replace | undefined {
    return this.#isFirst && this.#refusal === undefined ? this.#home.replace : undefined
  }

  /** Sends a batch over another client, because this one can send nothing, or over this one when it is known how it is. */
  #sendElsewhere (batch: Batch, replace: Replace): void {
    this.#active = batch
    this.#sendAgain(batch, replace, () => {
      this.#active = undefined
      refuse(batch, this.refusal as Error)
      this.#proceed()
    })
  }

  #send (requested: Batch): void {
    const { pooled } = this
    const { unsuited } = requested.tasks[0] as Task
    if (unsuited !== undefined && !pooled.readCommitted) {
      this.#active = undefined
      return unsuited()
    }
    if (pooled.guard !== undefined && this.status === 'I' && !mayBeGuarded(requested)) return this.#sendElsewhere(requested, this.#home.prove)
    const lead = pooled.guard ?? pooled.correction
    const batch = lead === undefined ? requested : withAdded(requested, [lead], this.status)
    // A value's `toPostgres()` may run a statement: it has to wait.
    this.#active = batch
    const wasOpen = this.status !== 'I'
    const exchange = openExchange(this.pooled, batch, this.#home.pooler)
    const tasks = batch.tasks.filter((task) => add(task, exchange))
    if (tasks.length === 0) {
      this.#active = undefined
      return
    }
    const sent: SentBatch = { prelude: batch.prelude, tasks, added: batch.added, isRepeated: batch.isRepeated, wasOpen }
    const started = performance.now()
    this.#active = sent
    this.#sentAt = started
    for (const { statement } of tasks) if (statement.kind === 'raw' && pooled.note(statement)) this.#hasOwnLimit = true
    pooled.missedTransaction = false
    exchange.send((error) => {
      if (error === undefined || exchange.isAnswered) return this.#finish(sent, exchange, { error: undefined, started, neverRan: false })
      const isLost = isConnectionLost(error) || pooled.lost !== undefined
      if (isLost) pooled.lost ??= error
      if (isLost) this.#finish(sent, exchange, { error, started, neverRan: hasNeverRun(error, exchange) })
      else exchange.awaitReady(() => this.#finish(sent, exchange, { error, started, neverRan: false }))
    })
  }

  #finish (batch: SentBatch, exchange: Exchange, finish: Finish): void {
    const { tasks, prelude } = batch
    if (this.pooled.guard !== undefined && isStopped(batch, exchange, finish.error)) return this.#sendElsewhere(batch, this.#home.prove)
    if (hasPassed(batch, exchange)) this.pooled.guard = undefined
    const replace = finish.neverRan ? this.#replacement : undefined
    this.#isFirst = false
    if (replace !== undefined) return this.#sendAgain(batch, replace, () => this.#conclude(batch, exchange, finish))
    if (exchange.isStale) this.#home.pooler.nameRefused(exchange.staleName, finish.error)
    if (exchange.isStale && this.pooled.lost === undefined && this.#isUndone(batch, exchange)) {
      this.#send({ tasks, prelude, added: batch.added, isRepeated: true })
      return this.#proceed()
    }
    this.#conclude(batch, exchange, finish)
  }

  /** Sends a batch again, over the client that `replace` gives, because nothing of it has run. */
  #sendAgain (batch: Batch, replace: Replace, fail: () => void): void {
    this.#giveUp = fail
    replace(this.#pooled).then((pooled) => {
      this.#pooled = pooled
      this.#giveUp = undefined
      if (this.#released) return this.#home.takeBack(this, false)
      this.#send(repeated(batch, pooled.correction, this.#home.pooler))
      this.#proceed()
    }, () => {
      this.#giveUp = undefined
      if (this.#released) this.#home.takeBack(this, true)
      else fail()
    })
  }

  /** Reports the outcome of each statement, and goes on with the next batch. */
  #conclude (batch: SentBatch, exchange: Exchange, { error: failure, started, neverRan }: Finish): void {
    const { tasks, prelude } = batch
    const { lost, missedTransaction } = this.pooled
    const isLost = lost !== undefined
    const error = exchange.isStale
      ? new ConnectionError(undefined, { cause: failure, context: contextOf(batch, failure) })
      : neverRan && failure !== undefined ? refusedUnsent(failure, contextOf(batch, failure)) : withReason(batch, exchange, failure)
    // The transaction status of a lost connection is out of date.
    if (!isLost) this.#refusal ??= exchange.isStale ? error : refusalAfter(batch, exchange, { error, status: this.status, inTransaction: this.#inTransaction })
    const observed = { prelude: ownPrelude(batch), durationMillis: performance.now() - started, repeats: false, client: this.pooled.client }
    const { responses, preludeDone, preludeValue } = exchange
    const failed = error === undefined ? -1 : firstFailed(batch, exchange, isLost)
    this.#active = undefined
    for (let index = 0; index < tasks.length; index++) {
      const { statement, done } = tasks[index] as Task
      this.#home.observe(this.caller, statement, index === 0 ? observed : { ...observed, prelude: noLead, repeats: (tasks[index - 1] as Task).statement.text === statement.text })
      const isOwn = index === failed || failed === -1 || isLost || preludeDone < prelude.length
      const ownError = index < failed ? undefined : isOwn ? error : skipped(error)
      const circumstances = { lost: isLost && !neverRan, preludeDone: preludeDoneOf(batch, preludeDone), preludeValue, missedTransaction }
      done(outcomeOf(responses[index] as Response, ownError, circumstances))
    }
    this.#proceed()
  }

  /** Whether a failed batch has had no effect, and no transaction was open before: then it may be sent again. Without BEGIN, all of it was one transaction. */
  #isUndone (batch: SentBatch, { preludeDone }: Exchange): boolean {
    return !batch.wasOpen && this.status === 'I' && (preludeDoneOf(batch, preludeDone) === 0 || !beginsTransaction(batch.prelude))
  }
}
