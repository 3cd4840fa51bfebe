/**
 * The connection's side of a session: which connection a statement runs on, when BEGIN leaves, and how it ends.
 *
 *     none ──first statement──> opening ──connection──> open ──COMMIT or ROLLBACK answered──> ended
 *
 * *none*: no connection is held. Plain reads may run on the pool here, each on a connection of its own for one round trip.
 * *opening*: something else came. Reads under way are awaited first, because a session that holds its transaction's
 * connection must never wait for another one; statements that come meanwhile stand behind, in call order.
 * *open*: everything runs on the one connection, one statement after the other. BEGIN, and the savepoint of a scope in which
 * nothing ran yet, travel with a statement under one Sync. Whether they are still due is known only when PostgreSQL has
 * answered, so nothing is sent before that.
 * *ended*: every statement is refused, those that still wait as well. The connection has gone back, or was destroyed where its
 * state was not certain.
 */
import { failureOn } from '../connection/outcome.js'
import { TransactionAbortedError, TransactionBrokenError } from '../errors/errors.js'
import { toDatabaseError } from '../errors/to-database-error.js'
import { control, endTransaction, nothing, opening } from './transaction-control.js'
import { cancelUntilIdle } from '../connection/cancel-until-idle.js'
import { hasOwnSnapshots, ReadsBeforeBegin } from './reads-before-begin.js'
import { takeBatch } from './queued-statement.js'
import { isWithin, unsent } from './savepoint.js'
import { setsSomething } from '../statement/sets-something.js'
import { errorForCaller } from './end-reason.js'
import { askIdentity, resolveCommit } from './commit-status.js'
import { UnsentWrites } from './unsent-writes.js'
import type { Outcome } from '../connection/outcome.js'
import type { TransactionSettings } from '../settings/transaction-options.js'
import type { SessionContext } from './session-context.js'
import type { AcquireRequest } from '../pool/acquire-queue.js'
import type { Caller } from '../statement/caller.js'
import type { Cancel, LentConnection } from '../pool/connection-source.js'
import type { Statement, StatementResult } from '../statement/statement.js'
import type { Savepoint } from './savepoint.js'
import type { QueuedStatement } from './queued-statement.js'

/** What a transaction tells the session that it belongs to. */
interface TransactionEvents {
  readonly caller: Caller
  /** `timeoutMillis` has passed since BEGIN. */
  readonly timedOut: () => void
}

export class Transaction {
  readonly #context: SessionContext
  readonly #settings: TransactionSettings
  readonly #events: TransactionEvents
  /** What waits for the transaction's connection, in call order. */
  readonly #tasks: QueuedStatement[] = []
  readonly #reads: ReadsBeforeBegin
  readonly #wakers: Array<() => void> = []
  /** Whether a connection for the transaction is awaited, or an answer on it. */
  #busy = false
  /** Whether what waits is sent at the end of this turn. */
  #isDue = false
  #cancel: Cancel | undefined
  #connection: LentConnection | undefined
  #begun = false
  /** What it was asked for, besides BEGIN. */
  #hasRead = false
  #hasWritten = false
  /** How many statements were asked for. */
  asked = 0
  /** Which transaction this is to the server, if that was asked for. */
  #identity: string | undefined
  #timer: NodeJS.Timeout | undefined
  #end: (() => Error) | undefined
  #failure: Error | undefined
  readonly #unsent = new UnsentWrites()
  /** The scopes in which the user's own SQL has set something that another connection does not have: undone with them. */
  readonly settingScopes = new Set<Savepoint | undefined>()

  constructor (context: SessionContext, settings: TransactionSettings, events: TransactionEvents) {
    this.#context = context
    this.#settings = settings
    this.#events = events
    this.#reads = new ReadsBeforeBegin((request) => this.#acquire(request))
  }

  /** Whether the transaction has a connection, or had one. */
  get isOpen (): boolean { return this.#connection !== undefined }

  /** Whether the transaction has a connection now. */
  get holdsConnection (): boolean { return this.#connection?.isReleased === false }

  /** Why nothing can be kept, if so: a statement failed and nothing undid it, or nothing more can be sent. */
  get obstacle (): Error | undefined {
    const refusal = this.#connection?.refusal
    if (refusal !== undefined) return toDatabaseError(refusal)
    const { error } = this.#unsent
    if (!this.#isAborted && error === undefined) return undefined
    return new TransactionAbortedError(undefined, { cause: error ?? this.#failure })
  }

  get #isAborted (): boolean { return this.#connection?.status === 'E' }

  /** Whether something was asked of the transaction that another one could not know of: all but reads which have a snapshot each. */
  get isUsed (): boolean { return this.#hasWritten || (this.#hasRead && !hasOwnSnapshots(this.#settings, this.#context.pool, this.#connection)) }

  /** Whether nothing is under way and nothing waits. */
  get isIdle (): boolean { return !this.#busy && this.#tasks.length === 0 && this.#reads.size === 0 }

  /** Runs a statement behind those that were given before it. */
  run (statement: Statement, savepoint: Savepoint | undefined): Promise<StatementResult<never>> {
    this.asked++
    return new Promise((resolve, reject) => {
      const task = { statement, savepoint, resolve, reject }
      if (this.#mayReadOutside(statement)) return this.#readOutside(task)
      if (statement.kind === 'raw' && setsSomething(statement.text)) this.settingScopes.add(savepoint)
      if (statement.kind === 'read') this.#hasRead = true
      else this.#hasWritten ||= statement !== opening
      this.#tasks.push(task)
      this.#proceedSoon()
    })
  }

  /** Resolves when every statement that was given has been answered; undefined where they have. */
  idle (): Promise<void> | undefined {
    return this.isIdle ? undefined : new Promise((resolve) => this.#wakers.push(resolve))
  }

  /** Keeps what ran since a savepoint; resolves with what prevented it. */
  async release ({ name, sent }: Savepoint): Promise<Error | undefined> {
    const outcome = sent ? await this.#connection?.run(control(`release savepoint ${name}`)) : undefined
    if (outcome?.error === undefined) return undefined
    this.#failure = toDatabaseError(outcome.error, { context: { operation: 'release savepoint' } })
    return this.obstacle
  }

  /** Undoes what ran since a savepoint, and forgets how it failed. */
  async undo (savepoint: Savepoint): Promise<void> {
    this.#unsent.undo(savepoint)
    for (const scope of this.settingScopes) if (isWithin(scope, savepoint)) this.settingScopes.delete(scope)
    const { name, sent } = savepoint
    if (!sent) return
    await this.#connection?.run(control(`release savepoint ${name}`), [`rollback to savepoint ${name}`])
    if (!this.#isAborted) this.#failure = undefined
  }

  /**
   * Sends COMMIT, and believes nothing but PostgreSQL's own word for it: the tag COMMIT, or the status of the transaction's id.
   *
   * @throws {TransactionAbortedError} where PostgreSQL rolled back instead
   * @throws {TransactionBrokenError} where PostgreSQL had no transaction to commit
   * @throws {ConnectionError} where the answer was lost, and nothing was saved
   * @throws {CommitUnknownError} where the answer was lost, and what became of it could not be found out
   */
  async commit (): Promise<void> {
    const connection = this.#connection
    if (connection === undefined) return
    // What should have taken BEGIN along was never sent: there is nothing to end.
    if (!this.#begun) return connection.release()
    const { settleTimeoutMillis: timeoutMillis } = this.#settings
    const { error, result, lost, missedTransaction } = await endTransaction(connection, 'commit', timeoutMillis)
    const context = { operation: 'commit' }
    if (missedTransaction) throw new TransactionBrokenError(undefined, { context })
    if (result?.command === 'COMMIT') return
    if (error === undefined) throw new TransactionAbortedError(undefined, { context })
    if (lost) return await resolveCommit(this.#identity, error, { pool: this.#context.pool, caller: this.#events.caller, timeoutMillis })
    throw toDatabaseError(error, { context, constraints: this.#context.constraints })
  }

  /** Undoes everything and gives the connections back; what still runs is cancelled. Never rejects. */
  async rollback (): Promise<void> {
    await Promise.all([this.#rollBack(), this.#reads.abandon(this.#settings.settleTimeoutMillis)])
  }

  /** Refuses what comes from now on, and what has not been sent yet. */
  close (reason: () => Error): void {
    this.#end = reason
    clearTimeout(this.#timer)
    if (this.isIdle) return
    this.#cancel?.(reason())
    this.#reads.close(reason)
    this.#proceed()
  }

  async #rollBack (): Promise<void> {
    const connection = this.#connection
    if (connection === undefined) return
    await cancelUntilIdle(connection, this.#settings.settleTimeoutMillis)
    if (this.#begun) await endTransaction(connection, 'rollback', this.#settings.settleTimeoutMillis)
    connection.release()
  }

  /** What is asked for in the same turn travels together; a connection is asked for at once. */
  #proceedSoon (): void {
    if (this.#connection === undefined) this.#proceed()
    else if (!this.#isDue) {
      this.#isDue = true
      queueMicrotask(() => {
        this.#isDue = false
        this.#proceed()
      })
    }
  }

  /** Does what is next; called whenever something has come or is done. */
  #proceed (): void {
    if (this.#end !== undefined) for (const { reject } of this.#tasks.splice(0)) reject(this.#end())
    if (this.isIdle) for (const wake of this.#wakers.splice(0)) wake()
    if (this.#busy || this.#reads.size > 0 || this.#tasks.length === 0) return
    this.#busy = true
    if (this.#connection === undefined) this.#open()
    else this.#send(takeBatch(this.#tasks), this.#connection)
  }

  #open (): void {
    this.#cancel = this.#acquire({
      lend: (connection) => {
        this.#connection = connection
        connection.enterTransaction()
        this.#done()
      },
      refuse: (error) => {
        for (const task of this.#tasks.splice(0)) this.#refuse(task, error)
        this.#done()
      }
    })
  }

  #acquire ({ lend, refuse }: Omit<AcquireRequest<LentConnection>, 'caller'>): Cancel {
    return this.#context.pool.acquire({ caller: this.#events.caller, lend, refuse })
  }

  #done (): void {
    this.#busy = false
    this.#proceed()
  }

  #send (tasks: QueuedStatement[], connection: LentConnection): void {
    const [first] = tasks
    const begin = this.#begun ? [] : this.#prelude
    const savepoints = unsent(first?.savepoint)
    const prelude = [...begin, ...savepoints.map(({ name }) => `savepoint ${name}`)]
    this.#startTimer()
    // Without values the text may be anything: several statements, a COPY, a COMMIT. Such a one travels alone.
    const alone = prelude.length > 0 && first?.statement.kind === 'raw' && first.statement.values.length === 0
    let open = tasks.length
    const answered = (task: QueuedStatement, outcome: Outcome): void => {
      if (outcome.preludeDone > 0) this.#begun = true
      this.#identity ??= outcome.preludeAnswer
      for (const savepoint of savepoints.slice(0, Math.max(outcome.preludeDone - begin.length, 0))) savepoint.sent = true
      if (alone && outcome.error === undefined) this.#tasks.unshift(task)
      else this.#answer(task, outcome, connection)
      if (--open === 0) this.#done()
    }
    connection.send(tasks.map((task) => ({ statement: alone ? nothing : task.statement, done: (outcome) => answered(task, outcome) })), prelude)
  }

  /** What is sent before the first statement. */
  get #prelude (): readonly string[] {
    return [this.#settings.begin, ...this.#context.settings, ...this.#settings.resolveCommits ? [askIdentity] : []]
  }

  #startTimer (): void {
    const { timeoutMillis } = this.#settings
    if (timeoutMillis !== undefined) this.#timer ??= setTimeout(this.#events.timedOut, timeoutMillis)
  }

  #mayReadOutside ({ kind }: Statement): boolean {
    return kind === 'read' && this.#settings.readsOutside && this.#context.pool.readCommitted &&
      this.#end === undefined && this.#connection === undefined && this.#tasks.length === 0
  }

  #readOutside (task: QueuedStatement): void {
    this.#reads.start(task.statement, {
      answered: (outcome, connection) => this.#answer(task, outcome, connection),
      refused: (error) => this.#refuse(task, error),
      // It belongs into the transaction, and was asked for before all that wait.
      unsuited: () => {
        this.#hasRead = true
        this.#tasks.unshift(task)
      },
      done: () => this.#proceed()
    })
  }

  #answer (task: QueuedStatement, { error, result, sent }: Outcome, connection: LentConnection): void {
    if (error === undefined) {
      // The user's own SQL may have gone back to a savepoint, as a scope does.
      this.#failure = undefined
      return task.resolve(result as StatementResult<never>)
    }
    const { context, nowait } = task.statement
    // A write that is refused as read-only in a read-write transaction is a ConnectionError, too: the server is no primary any more.
    const failure = failureOn(connection, error, { context, readOnly: this.#settings.readOnly, nowait, constraints: this.#context.constraints })
    if (sent && this.#isAborted) this.#failure ??= failure
    if (sent) task.reject(errorForCaller(failure, this.#end))
    else this.#refuse(task, failure)
  }

  #refuse ({ statement, savepoint, reject }: QueuedStatement, error: Error): void {
    if (statement.kind !== 'read') this.#unsent.add(savepoint, error)
    reject(error)
  }
}
