/**
 * One checked-out connection: runs what it is given one statement after the other, in call order, and goes back exactly once.
 *
 * Three things are decided here, between the answer to one statement and the sending of the next, because nowhere else is
 * early enough: a BEGIN that failed, a transaction that the user's own SQL has ended, and a connection that was lost. After
 * each of them nothing more is sent, or the next statement would commit by itself.
 */
import { ConnectionError, TransactionClosedError } from '../errors/errors.js'
import { isConnectionLost } from '../errors/to-database-error.js'
import { bytesReadBy, isOrdinary, requestCancel } from '../pg/client.js'
import { add, contextOf, firstFailed, preludeDoneOf, withCorrection } from './batch.js'
import { endedByUser } from './ended-by-user.js'
import { hasNeverRun, idleSession } from './never-ran.js'
import { notSent, outcomeOf, skipped } from './outcome.js'
import { PipelinedExchange } from './pipelined-exchange.js'
import { SequentialExchange } from './sequential-exchange.js'
import type { TransactionStatus } from '../pg/client.js'
import type { Entry } from '../runtime/linked-list.js'
import type { Caller } from '../statement/caller.js'
import type { Observed } from '../statement/statement-observer.js'
import type { Statement } from '../statement/statement.js'
import type { Batch, SentBatch, Task } from './batch.js'
import type { ClientState } from './client-state.js'
import type { Exchange } from './exchange.js'
import type { Outcome } from './outcome.js'
import type { Response } from './response.js'

/** Statements whose answer is awaited. */
export interface Running {
  readonly texts: readonly string[]
  /** When they were sent, on the clock of `performance.now()`. */
  readonly since: number
  readonly inTransaction: boolean
  /** Whether the user's own SQL may have changed the limit of the statements on this connection. */
  readonly hasOwnLimit: boolean
}

/** Where a connection comes from. */
export interface ConnectionHome {
  /** Whether PostgreSQL may keep statements by their names. */
  readonly prepares: boolean
  takeBack (connection: Connection, destroyed: boolean): void
  /** Another client in place of one that was lost, where there may be one; rejects when none is to be had. */
  replace?: (lost: ClientState) => Promise<ClientState>
  /** Sees each statement when it is answered: for echo, slow queries, and what may come (metrics, tracing). */
  observe (caller: Caller, statement: Statement, observed: Observed): void
}

/** What came of statements that were sent. */
interface Finish {
  readonly error: Error | undefined
  readonly started: number
  /** Whether the connection was lost before PostgreSQL had begun with any of them. */
  readonly neverRan: boolean
}

export class Connection {
  readonly caller: Caller
  /** When it was handed over, on the clock of `performance.now()`. */
  readonly since = performance.now()
  /** Its place among those that are in use. */
  checkedOutEntry: Entry<Connection> | undefined
  #pooled: ClientState
  readonly #home: ConnectionHome
  readonly #queue: Batch[] = []
  readonly #waiting: Array<() => void> = []
  #active: Batch | undefined
  #inTransaction = false
  #isSettling = false
  #sentAt = 0
  #hasOwnLimit = false
  #refusal: Error | undefined
  #released = false
  /** Whether nothing was answered yet: then whoever has the connection cannot tell one client from another. */
  #isFirst = true
  /** While another client is awaited: answers what waits for it. */
  #giveUp: (() => void) | undefined

  constructor (pooled: ClientState, caller: Caller, home: ConnectionHome) {
    this.#pooled = pooled
    this.caller = caller
    this.#home = home
  }

  /** The client behind it. */
  get pooled (): ClientState { return this.#pooled }

  /** Whether each statement on this connection has a snapshot of its own unless a BEGIN says otherwise. */
  get readCommitted (): boolean { return this.pooled.readCommitted }

  /** PostgreSQL's last word on the transaction. */
  get status (): TransactionStatus { return this.pooled.status }

  /** What it does, for the log. */
  get state (): 'running' | 'idle in transaction' | 'idle' {
    if (this.#active !== undefined) return 'running'
    return this.status === 'I' ? 'idle' : 'idle in transaction'
  }

  /** What is awaited. */
  get running (): Running | undefined {
    if (this.#active === undefined) return undefined
    const texts = this.#active.tasks.map(({ statement: { text } }) => text)
    return { texts, since: this.#sentAt, inTransaction: this.#inTransaction, hasOwnLimit: this.#hasOwnLimit || this.pooled.hasOwnLimit }
  }

  /** How many bytes have come from the server so far. */
  get bytesRead (): number { return bytesReadBy(this.pooled.client) }

  /** Why nothing more is sent over this connection, if so. */
  get refusal (): Error | undefined {
    if (this.#released) this.#refusal ??= new TransactionClosedError()
    return this.#refusal ?? this.pooled.lost
  }

  /** Says that from the next statement on this connection is inside a transaction, until {@link leaveTransaction}. */
  enterTransaction (): void { this.#inTransaction = true }

  /** Says that the next statement ends the transaction, within a limit of its own. */
  leaveTransaction (): void {
    this.#inTransaction = false
    this.#isSettling = true
  }

  /** Whether its last word is awaited, the answer to COMMIT or ROLLBACK, which has a limit of its own. */
  get isSettling (): boolean { return this.#isSettling }

  /** Runs a statement behind those that were given before it; `prelude` travels with it and comes first. Never rejects. */
  run (statement: Statement, prelude: readonly string[] = []): Promise<Outcome> {
    return new Promise((resolve) => this.send([{ statement, done: resolve }], prelude))
  }

  /** Runs statements in one round trip, behind those that were given before them; behind a failure none takes effect. */
  send (tasks: readonly Task[], prelude: readonly string[] = []): void {
    this.#queue.push({ tasks, prelude, corrected: -1, isRepeated: false })
    this.#proceed()
  }

  /** Whether it was given back. */
  get isReleased (): boolean { return this.#released }

  /** Whether nothing runs. */
  get isIdle (): boolean { return this.#active === undefined }

  /** Resolves when all that was given to run has been answered. */
  idle (): Promise<void> {
    return new Promise((resolve) => {
      if (this.#active === undefined) resolve()
      else this.#waiting.push(resolve)
    })
  }

  /** Asks PostgreSQL to give up the running statement; resolves when a late cancel can hit nothing else any more. */
  async cancel (timeoutMillis: number): Promise<void> {
    if (this.#active !== undefined && this.pooled.lost === undefined) await requestCancel(this.pooled.client, timeoutMillis)
  }

  /** Gives the connection back, to the pool if it is sure to be clean, else to be destroyed. */
  release (): void {
    if (this.#active === undefined && this.refusal === undefined && this.status === 'I') this.#return(false)
    else this.destroy()
  }

  /** Sends nothing any more, and has the connection destroyed when it is given back. */
  distrust (reason: Error): void { this.#refusal ??= reason }

  /** Ends the connection now: PostgreSQL rolls back what was not committed. */
  destroy (): void {
    if (this.#released) return
    this.#refusal ??= new ConnectionError()
    this.#return(true)
  }

  #return (destroyed: boolean): void {
    this.#released = true
    // One that awaits another client goes back with that.
    if (this.#giveUp === undefined) this.#home.takeBack(this, destroyed)
    else this.#giveUp()
  }

  /** Sends what waits, what was given together at a time; all at once it is refused. */
  #proceed (): void {
    while (this.#active === undefined && this.#queue.length > 0) {
      const { refusal } = this
      const batch = this.#queue.shift() as Batch
      if (refusal === undefined) this.#send(batch)
      else for (const { done } of batch.tasks) done(notSent(refusal))
    }
    if (this.#active === undefined && this.#waiting.length > 0) for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #send (asked: Batch): void {
    const { pooled } = this
    const given = pooled.correction === undefined ? asked : withCorrection(asked, pooled.correction, this.status)
    // A value may run a statement while it is written: that one has to wait.
    this.#active = given
    const wasOpen = this.status !== 'I'
    const exchange = this.#exchange(given)
    const tasks = given.tasks.filter((task) => add(task, exchange))
    if (tasks.length === 0) {
      this.#active = undefined
      return
    }
    const batch: SentBatch = { prelude: given.prelude, tasks, corrected: given.corrected, isRepeated: given.isRepeated, wasOpen }
    const started = performance.now()
    this.#active = batch
    this.#sentAt = started
    for (const { statement } of tasks) if (statement.kind === 'raw' && pooled.note(statement)) this.#hasOwnLimit = true
    pooled.missedTransaction = false
    exchange.send((error) => {
      if (error === undefined || exchange.isAnswered) return this.#finish(batch, exchange, { error: undefined, started, neverRan: false })
      const isLost = isConnectionLost(error) || pooled.lost !== undefined
      if (isLost) pooled.lost ??= error
      if (isLost) this.#finish(batch, exchange, { error, started, neverRan: hasNeverRun(error, exchange) })
      else exchange.awaitReady(() => this.#finish(batch, exchange, { error, started, neverRan: false }))
    })
  }

  #exchange ({ prelude, tasks, isRepeated }: Batch): Exchange {
    const { client, prepared } = this.pooled
    if (!isOrdinary(client)) return new SequentialExchange(client, prelude)
    const isAlone = prelude.length === 0 && tasks.length === 1
    // What this group needs must not be closed to make room for another of its names.
    if (!isAlone) for (const { statement: { name } } of tasks) if (name !== undefined) prepared.keep(name)
    return new PipelinedExchange(client, { prelude, isAlone, prepared: this.#home.prepares && !isRepeated ? prepared : undefined })
  }

  #finish (batch: SentBatch, exchange: Exchange, finish: Finish): void {
    const { tasks, prelude } = batch
    const isFirst = this.#isFirst
    this.#isFirst = false
    if (finish.neverRan && isFirst && this.#refusal === undefined && this.#home.replace !== undefined) {
      return this.#sendAgain(batch, this.#home.replace, () => this.#conclude(batch, exchange, finish))
    }
    if (exchange.isStale && this.pooled.lost === undefined && this.#isUndone(batch, exchange)) {
      this.#send({ tasks, prelude, corrected: batch.corrected, isRepeated: true })
      return this.#proceed()
    }
    this.#conclude(batch, exchange, finish)
  }

  /** Sends once more, over another client, what the one that was lost has not run. */
  #sendAgain ({ tasks, prelude, corrected, isRepeated }: SentBatch, replace: (lost: ClientState) => Promise<ClientState>, fail: () => void): void {
    this.#giveUp = fail
    replace(this.#pooled).then((pooled) => {
      this.#pooled = pooled
      this.#giveUp = undefined
      if (this.#released) return this.#home.takeBack(this, false)
      this.#send({ tasks, prelude: corrected < 0 ? prelude : prelude.toSpliced(corrected, 1), corrected: -1, isRepeated })
      this.#proceed()
    }, () => {
      this.#giveUp = undefined
      if (this.#released) this.#home.takeBack(this, true)
      else fail()
    })
  }

  /** Tells what became of statements, and goes on with the next. */
  #conclude (batch: SentBatch, exchange: Exchange, { error: given, started, neverRan }: Finish): void {
    const { tasks, prelude } = batch
    const { lost, missedTransaction } = this.pooled
    const isLost = lost !== undefined
    const error = exchange.isStale || (neverRan && Object(given).code === idleSession) ? new ConnectionError(undefined, { cause: given, context: contextOf(batch, given) }) : given
    // Of a connection that was lost the last word on the transaction is an old one.
    if (!isLost) this.#refusal ??= exchange.isStale ? error : this.#judge(batch, exchange, error)
    const observed = { prelude, durationMillis: performance.now() - started }
    const { answers, preludeDone, preludeAnswer } = exchange
    const failed = error === undefined ? -1 : firstFailed(batch, exchange, isLost)
    this.#active = undefined
    for (let place = 0; place < tasks.length; place++) {
      const { statement, done } = tasks[place] as Task
      this.#home.observe(this.caller, statement, place === 0 ? observed : { ...observed, prelude: [] })
      const failure = place < failed ? undefined : place === failed || failed === -1 || isLost || preludeDone < prelude.length ? error : skipped(error)
      done(outcomeOf(answers[place] as Response, failure, { lost: isLost && !neverRan, preludeDone: preludeDoneOf(batch, preludeDone), preludeAnswer, missedTransaction }))
    }
    this.#proceed()
  }

  /** Whether nothing of what failed has taken effect, in no transaction that had begun before: then it may be sent once more. */
  #isUndone (batch: SentBatch, { preludeDone }: Exchange): boolean { return !batch.wasOpen && preludeDoneOf(batch, preludeDone) === 0 && this.status === 'I' }

  /** Why nothing may be sent behind statements that were answered, if so. */
  #judge ({ prelude, tasks: [task] }: Batch, { preludeDone, answers: [answer] }: Exchange, error: Error | undefined): Error | undefined {
    const { status } = this
    if (preludeDone < prelude.length && status === 'I') return error
    // A statement of a repository ends a transaction only in ways that PostgreSQL's own word shows.
    const isSuspect = this.#inTransaction && (status === 'I' || task?.statement.kind === 'raw')
    return isSuspect && answer !== undefined ? endedByUser(answer.tags, status, answer.statement.text) : undefined
  }
}
