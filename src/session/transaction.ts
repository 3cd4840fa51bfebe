/**
 * The connection's side of a session: which connection a statement runs on, when BEGIN leaves, and how it ends.
 *
 *     none ──first statement──> opening ──connection──> open ──COMMIT or ROLLBACK answered──> ended
 *
 * *none*: no connection is held. Plain reads may run on the pool here, each on a connection of its own for one round trip.
 * *opening*: something else came. Reads under way are awaited first, because a session that holds its transaction's
 * connection must never wait for another one; statements that come meanwhile stand behind, in call order.
 * *open*: everything runs on the one connection. BEGIN, and the savepoint of a scope in which nothing ran yet, travel with
 * the first statement under one Sync.
 * *ended*: every statement is refused. The connection has gone back, or was destroyed where its state was not certain.
 */
import type { Connection, Outcome } from '../connection/connection.js'
import { CommitUnknownError, ConnectionError, TransactionAbortedError } from '../errors/errors.js'
import { toDatabaseError } from '../errors/sqlstate.js'
import type { TransactionSettings } from './options.js'
import type { SessionHost } from './host.js'
import type { Borrower } from '../connection/waiters.js'
import type { Cancel } from '../pool.js'
import type { Statement, StatementResult } from './statement.js'

/** The savepoint of a nested scope, sent with the first statement that runs in it. */
export interface Savepoint {
  readonly name: string
  readonly outer: Savepoint | undefined
  sent: boolean
}

interface Task {
  readonly statement: Statement
  readonly savepoint: Savepoint | undefined
  readonly resolve: (result: StatementResult<never>) => void
  readonly reject: (error: Error) => void
}

interface Read {
  cancel: Cancel
  connection: Connection | undefined
}

/** Carries what leads, where the statement itself has to be sent alone. */
const nothing = control('')

function control (text: string): Statement {
  return { kind: 'write', text, values: [], context: { operation: text } }
}

/** What a transaction tells the session that it belongs to. */
interface TransactionEvents {
  readonly borrower: Borrower
  /** `timeoutMillis` has passed since BEGIN. */
  readonly timedOut: () => void
}

export class Transaction {
  readonly #host: SessionHost
  readonly #settings: TransactionSettings
  readonly #events: TransactionEvents
  readonly #tasks: Task[] = []
  readonly #reads = new Set<Read>()
  readonly #wakers: Array<() => void> = []
  #opening = false
  #cancel: Cancel | undefined
  #connection: Connection | undefined
  #begun = false
  #timer: NodeJS.Timeout | undefined
  #end: Error | undefined
  #commitSent = false
  #failure: Error | undefined

  constructor (host: SessionHost, settings: TransactionSettings, events: TransactionEvents) {
    this.#host = host
    this.#settings = settings
    this.#events = events
  }

  /** Whether a connection is held. */
  get isOpen (): boolean { return this.#connection !== undefined }

  /** Whether COMMIT has left: from then on the outcome stands, whatever anybody wants. */
  get commitSent (): boolean { return this.#commitSent }

  /** Whether a statement has failed and nothing has undone it. */
  get isAborted (): boolean { return this.#connection?.status === 'E' }

  /** The first failure that nothing has undone. */
  get failure (): Error | undefined { return this.#failure }

  /** Why nothing more runs on the connection, if so: it was lost, its BEGIN failed, or the user's SQL ended the transaction. */
  get refusal (): Error | undefined {
    const refusal = this.#connection?.refusal
    return refusal && toDatabaseError(refusal)
  }

  /** Runs a statement behind those that were given before it. */
  run (statement: Statement, savepoint: Savepoint | undefined): Promise<StatementResult<never>> {
    return new Promise((resolve, reject) => this.#dispatch({ statement, savepoint, resolve, reject }))
  }

  /** Resolves when every statement that was given to the transaction's connection has been answered. */
  async idle (): Promise<void> {
    if (this.#opening) await new Promise<void>((resolve) => this.#wakers.push(resolve))
    await this.#connection?.idle()
  }

  /** Keeps what ran since a savepoint; resolves with the error that prevented it. */
  async release ({ name }: Savepoint): Promise<Error | undefined> {
    const outcome = await this.#connection?.run(control(`release savepoint ${name}`))
    return outcome?.error
  }

  /** Undoes what ran since a savepoint, and forgets how it failed. */
  async undo ({ name }: Savepoint, failure: Error | undefined): Promise<void> {
    const outcome = await this.#connection?.run(control(`release savepoint ${name}`), [`rollback to savepoint ${name}`])
    if (outcome?.error === undefined) this.#failure = failure
  }

  /**
   * Sends COMMIT, and believes nothing but PostgreSQL's own word for it: the tag COMMIT.
   *
   * @throws {TransactionAbortedError} where PostgreSQL rolled back instead
   * @throws {ConnectionError} where the connection was lost before COMMIT was sent: nothing was saved
   * @throws {CommitUnknownError} where the answer was lost
   */
  async commit (): Promise<void> {
    const connection = this.#connection
    if (connection === undefined) return
    this.#commitSent = true
    const { error, result, sent, lost } = await this.#settle(connection, 'commit')
    const context = { operation: 'commit' }
    if (error === undefined && result?.command === 'COMMIT') return
    if (error === undefined) throw new TransactionAbortedError(undefined, { cause: this.#failure, context })
    if (!sent) throw new ConnectionError(undefined, { cause: error, context })
    if (lost) throw new CommitUnknownError(undefined, { cause: error, context })
    throw toDatabaseError(error, { context, constraints: this.#host.constraints })
  }

  /** Undoes everything and gives the connection back; a statement that still runs is cancelled. Never rejects. */
  async rollback (): Promise<void> {
    const connection = this.#connection
    if (connection === undefined) return
    const timer = setTimeout(() => connection.destroy(), this.#settings.settleTimeoutMillis)
    await connection.cancel(this.#settings.settleTimeoutMillis)
    await connection.idle()
    clearTimeout(timer)
    if (connection.refusal === undefined) await this.#settle(connection, 'rollback')
    connection.release()
  }

  /** Refuses what comes from now on, and what has not reached a connection yet. */
  close (reason: Error): void {
    this.#end = reason
    clearTimeout(this.#timer)
    for (const task of this.#tasks.splice(0)) task.reject(reason)
    this.#cancel?.(reason)
    for (const { cancel } of this.#reads) cancel(reason)
  }

  /** Asks PostgreSQL to give up the reads that still run on the pool: nobody waits for their answers any more. */
  async cancelReads (): Promise<void> {
    await Promise.all(Array.from(this.#reads, ({ connection }) => connection?.cancel(this.#settings.settleTimeoutMillis)))
  }

  async #settle (connection: Connection, text: 'commit' | 'rollback'): Promise<Outcome> {
    connection.leaveTransaction()
    const timer = setTimeout(() => connection.destroy(), this.#settings.settleTimeoutMillis)
    const outcome = await connection.run(control(text))
    clearTimeout(timer)
    connection.release()
    return outcome
  }

  #dispatch (task: Task): void {
    if (this.#end !== undefined) return task.reject(this.#end)
    if (this.#connection !== undefined) return this.#send(this.#connection, task)
    if (!this.#opening && task.statement.kind === 'read' && this.#settings.readsOutside && this.#host.pool.readCommitted) {
      return this.#readOutside(task)
    }
    this.#tasks.push(task)
    if (this.#opening) return
    this.#opening = true
    this.#open()
  }

  /** Called again when the last of the reads under way is done. */
  #open (): void {
    if (this.#reads.size > 0) return
    if (this.#tasks.length === 0) return this.#opened()
    this.#cancel = this.#host.pool.acquire({
      borrower: this.#events.borrower,
      lend: (connection) => {
        this.#connection = connection
        connection.enterTransaction()
        for (const task of this.#tasks.splice(0)) this.#send(connection, task)
        this.#opened()
      },
      // Nothing has begun: whoever catches this may try again.
      refuse: (error) => {
        for (const task of this.#tasks.splice(0)) task.reject(error)
        this.#opened()
      }
    })
  }

  #opened (): void {
    this.#opening = false
    for (const wake of this.#wakers.splice(0)) wake()
  }

  #readOutside (task: Task): void {
    const read: Read = { cancel: () => {}, connection: undefined }
    const done = (): void => {
      this.#reads.delete(read)
      if (this.#opening) this.#open()
    }
    this.#reads.add(read)
    read.cancel = this.#host.pool.acquire({
      borrower: this.#events.borrower,
      lend: (connection) => {
        read.connection = connection
        if (!connection.readCommitted) {
          connection.release()
          done()
          return this.#dispatch(task)
        }
        connection.run(task.statement).then((outcome) => {
          connection.release()
          done()
          this.#answer(task, outcome, connection)
        })
      },
      refuse: (error) => {
        done()
        task.reject(error)
      }
    })
  }

  #send (connection: Connection, task: Task): void {
    const savepoints = unsent(task.savepoint)
    const lead = [...this.#begun ? [] : [this.#settings.begin, ...this.#host.settings], ...savepoints.map(({ name }) => `savepoint ${name}`)]
    if (!this.#begun) this.#begin()
    for (const savepoint of savepoints) savepoint.sent = true
    // Without values the text may be anything: several statements, a COPY, a COMMIT. Such a one travels alone.
    const alone = lead.length > 0 && task.statement.kind === 'raw' && task.statement.values.length === 0
    const led = alone ? connection.run(nothing, lead) : connection.run(task.statement, lead)
    // A savepoint that was not reached is not there to return to.
    led.then(({ led }) => { for (const savepoint of savepoints.slice(Math.max(savepoints.length - lead.length + led, 0))) savepoint.sent = false })
    const answered = alone ? connection.run(task.statement) : led
    answered.then((outcome) => this.#answer(task, outcome, connection))
  }

  #begin (): void {
    this.#begun = true
    if (this.#settings.timeoutMillis !== undefined) this.#timer = setTimeout(this.#events.timedOut, this.#settings.timeoutMillis)
  }

  #answer ({ statement, resolve, reject }: Task, { error, result }: Outcome, connection: Connection): void {
    if (error === undefined) return resolve(result as StatementResult<never>)
    const failure = toDatabaseError(error, {
      context: statement.context,
      readOnly: this.#settings.readOnly,
      nowait: statement.nowait,
      constraints: this.#host.constraints
    })
    // Also a write refused as read only where nobody asked for that: this server is no primary any more.
    if (failure instanceof ConnectionError) connection.destroy()
    if (this.isAborted || this.refusal !== undefined) this.#failure ??= failure
    reject(failure)
  }
}

function unsent (savepoint: Savepoint | undefined): Savepoint[] {
  return savepoint === undefined || savepoint.sent ? [] : [...unsent(savepoint.outer), savepoint]
}
