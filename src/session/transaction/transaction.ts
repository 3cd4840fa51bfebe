/**
 * The connection's side of a session: which connection a statement runs on, when BEGIN is sent, and how the transaction ends.
 *
 *     none ──first statement──> opening ──connection──> open ──COMMIT or ROLLBACK finished──> ended
 *
 * *none*: no connection is held. Plain reads may run on the pool, each on a connection of its own for one round trip.
 * *opening*: another statement came. Running reads are awaited first, because a session that holds its transaction's
 * connection must never wait for another one. Statements that come meanwhile wait, in call order.
 * *open*: everything runs on the one connection, one statement after the other. BEGIN, the savepoint of a scope without
 * statements so far, and the release of the last one that was kept are sent with a statement under one Sync. Only PostgreSQL's
 * response shows whether they have run, so nothing is sent before it.
 * *ended*: every statement is refused, also those that still wait. The connection was released, or destroyed if its state was
 * uncertain.
 */
import { failureOn } from '../../connection/outcome.js'
import { toDatabaseError } from '../../errors/to-database-error.js'
import { control, nothing, opening, rollBack } from './transaction-control.js'
import { hasOwnSnapshots, isFailure, ReadsBeforeBegin, type ReadingSession } from './reads-before-begin.js'
import { routeOf, type ReplicaRoute } from './replica-route.js'
import { added, takeBatch, type QueuedStatement } from './queued-statement.js'
import { forget, releaseOf, Savepoints, type Savepoint } from './savepoint.js'
import { RequestedWork } from './requested-work.js'
import { errorForCaller, obstacleOn } from './end-reason.js'
import { beforeTransaction } from './prelude.js'
import { leadOf, type ContextLead } from './context-lead.js'
import { leading, noLead } from '../../statement/leading-statement.js'
import { commitOn } from './commit.js'
import { isTraced, TransactionTrace } from '../../channels/transaction-trace.js'
import { UnsentWrites } from './unsent-writes.js'
import type { Outcome } from '../../connection/outcome.js'
import type { TransactionSettings } from '../../settings/transaction-options.js'
import type { SessionContext } from './session-context.js'
import type { Cancel, LentConnection } from '../../pool/connection-source.js'
import type { AcquireRequest } from '../../pool/acquire-queue.js'
import type { Caller } from '../../statement/caller.js'
import type { Statement, StatementResult } from '../../statement/statement.js'

const noTasks: readonly QueuedStatement[] = []

/** The transaction of a session. It is itself the request for its connection. */
export class Transaction implements AcquireRequest<LentConnection>, ReadingSession<QueuedStatement> {
  readonly #context: SessionContext
  readonly #settings: TransactionSettings
  readonly caller: Caller
  /** The statements that wait for the transaction's connection, in call order. */
  #tasks: QueuedStatement[] = []
  #reads: ReadsBeforeBegin<QueuedStatement> | undefined
  /** The context of the session, if it has one, or needs one. */
  readonly lead: ContextLead | undefined
  /** Where reads go, with `reads: 'replica'`. */
  readonly #route: ReplicaRoute | undefined
  #wakers: Array<() => void> | undefined
  /** Whether the transaction's connection, or a response on it, is awaited. */
  #busy = false
  /** Whether a microtask will send the waiting statements. */
  #isDue = false
  #cancel: Cancel | undefined
  /** The replica of which the connection is requested. */
  #replica: ReplicaRoute['replica']
  #connection: LentConnection | undefined
  #begun = false
  readonly work = new RequestedWork()
  /** How many statements were requested. */
  asked = 0
  #token: string | undefined
  /** The transaction's identity on the server, with `resolveCommits`. */
  #identity: string | undefined
  /** Called when `timeoutMillis` has passed since BEGIN. */
  timedOut: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #end: (() => Error) | undefined
  #failure: Error | undefined
  readonly #unsent = new UnsentWrites()
  readonly #savepoints = new Savepoints()
  /** Undefined as long as nobody watches. */
  #trace: TransactionTrace | undefined

  constructor (context: SessionContext, settings: TransactionSettings, caller: Caller) {
    this.#context = context
    this.lead = leadOf(settings, context.bypassesPolicies)
    this.#settings = settings
    this.caller = caller
    this.#route = routeOf(context.replicas, settings)
  }

  /** The token of the commit, with the option `token`, if it could be read. */
  get token (): string | undefined { return this.#token }

  /** Whether the transaction has a connection, or had one. */
  get isOpen (): boolean { return this.#connection !== undefined }

  /** Whether the transaction has a connection now. */
  get holdsConnection (): boolean { return this.#connection?.isReleased === false }

  /** The reason why the transaction cannot be committed, if any: a statement failed and nothing undid it, or nothing more can be sent. */
  get obstacle (): Error | undefined {
    return obstacleOn(this.#connection, { unsent: this.#unsent.error, failure: this.#failure })
  }

  get #isAborted (): boolean { return this.#connection?.status === 'E' }

  /** Whether something was done in this transaction that another one would lack: anything but reads with a snapshot of their own. */
  get isUsed (): boolean { return this.work.hasWritten || (this.work.hasRead && !hasOwnSnapshots(this.#settings, this.#context.pool, this.#connection)) }

  /** Whether no statement is running and none waits. */
  get isIdle (): boolean { return !this.#busy && this.#tasks.length === 0 && this.#reads?.isIdle !== false }

  /** Reads from replicas see the commit of this token from now on: see {@link ReplicaRoute.follow}. */
  follow (token: unknown): void { this.#route?.follow(token) }

  /** Runs a statement after all earlier ones. */
  run (statement: Statement, savepoint: Savepoint | undefined): Promise<StatementResult<never>> {
    this.asked++
    if (this.#trace === undefined && !isTraced()) return this.#run(statement, savepoint)
    this.#trace ??= new TransactionTrace({ place: this.#context.place, settings: this.#settings, caller: this.caller })
    return this.#trace.run(statement, this.#mayReadOutside(statement), (traced) => this.#run(traced, savepoint))
  }

  #run (requested: Statement, savepoint: Savepoint | undefined): Promise<StatementResult<never>> {
    return new Promise((resolve, reject) => {
      const refusal = this.caller.refuses?.(requested) ?? this.lead?.prepare()
      const statement = this.lead === undefined ? requested : this.lead.named(requested)
      const task = { statement, savepoint, resolve, reject }
      if (refusal !== undefined) return this.reject(task, refusal)
      if (this.#mayReadOutside(statement)) return this.#readOutside(task)
      if (this.#route?.isWhole === false) this.#route.leave()
      this.work.add(statement, savepoint)
      this.#tasks = added(this.#tasks, task)
      this.#proceedSoon()
    })
  }

  /** Resolves when every statement is finished; undefined if all are. */
  idle (): Promise<void> | undefined {
    return this.isIdle ? undefined : new Promise((resolve) => (this.#wakers ??= []).push(resolve))
  }

  /** Releases a savepoint, now or with the next statement; resolves with the error that prevented it, if any. */
  async release (savepoint: Savepoint): Promise<Error | undefined> {
    const outcome = this.#savepoints.keep(savepoint) ? await this.#connection?.run(control(releaseOf(savepoint))) : undefined
    if (outcome?.error === undefined) return undefined
    this.#failure = toDatabaseError(outcome.error, { context: { operation: 'release savepoint' } })
    return this.obstacle
  }

  /** Rolls back to a savepoint, and forgets the failure. */
  async undo (savepoint: Savepoint): Promise<void> {
    this.#unsent.undo(savepoint)
    this.work.undo(savepoint)
    if (!this.#savepoints.undo(savepoint)) return
    await this.#connection?.run(control(releaseOf(savepoint)), [leading(`rollback to savepoint ${savepoint.name}`)])
    if (!this.#isAborted) this.#failure = undefined
  }

  /** Commits, and reads the token: see {@link commitOn}. */
  async commit (): Promise<void> {
    const connection = this.#connection
    if (connection !== undefined && this.#begun) this.#token = await commitOn(connection, { context: this.#context, settings: this.#settings, caller: this.caller, identity: this.#identity, trace: this.#trace })
    else connection?.release() // BEGIN was never sent: there is nothing to end
    this.#trace?.end('none')
  }

  /** Rolls back and releases the connections; running statements are cancelled. Never rejects. */
  async rollback (): Promise<void> {
    const { settleTimeoutMillis: timeoutMillis } = this.#settings
    await Promise.all([this.#connection && rollBack(this.#connection, () => this.#begun, timeoutMillis), this.#reads?.abandon(timeoutMillis)])
    this.#trace?.end(this.#begun ? 'rolledBack' : 'none', this.#end?.())
  }

  /** Refuses later statements, and those that have not been sent yet. */
  close (reason: () => Error): void {
    this.#end = reason
    clearTimeout(this.#timer)
    // COMMIT or ROLLBACK is next, perhaps after that of another database: closing the pool must not cut it off.
    if (this.isIdle) return this.#connection?.leaveTransaction()
    this.#cancel?.(reason())
    this.#reads?.close(reason)
    this.#proceed()
  }

  /** Statements of the same microtask are sent together; a connection is requested at once. */
  #proceedSoon (): void {
    if (this.#connection === undefined) this.#proceed()
    else if (!this.#isDue) {
      this.#isDue = true
      queueMicrotask(() => { this.#isDue = false; this.#proceed() })
    }
  }

  /** Does the next step; called after every event. */
  #proceed (): void {
    if (this.#end !== undefined) for (const { reject } of this.#tasks.splice(0)) reject(this.#end())
    if (this.isIdle) for (const wake of this.#wakers?.splice(0) ?? []) wake()
    if (this.#busy || this.#reads?.isIdle === false || this.#tasks.length === 0) return
    this.#busy = true
    if (this.#connection === undefined) this.#open()
    else this.#send(takeBatch(this.#tasks), this.#connection)
  }

  #open (replica = this.#route?.isWhole === true ? this.#route.replica : undefined): void {
    this.#replica = replica
    this.#cancel = (replica ?? this.#context.pool).acquire(this)
  }

  lend (connection: LentConnection): void {
    this.#connection = connection
    this.#trace?.lent(connection)
    this.#route?.lent(this.#replica)
    connection.enterTransaction()
    this.#done()
  }

  refuse (error: Error): void {
    if (this.#replica !== undefined && this.#end === undefined) this.#moveToPrimary(noTasks)
    else this.#refuseAll(error)
    this.#done()
  }

  /** The replica could not be reached, or failed before it had answered anything. */
  #moveToPrimary (tasks: readonly QueuedStatement[], connection?: LentConnection): void {
    this.#route?.leave()
    connection?.destroy()
    this.#connection = undefined
    this.#begun = false
    forget(tasks[0]?.savepoint)
    this.#tasks.unshift(...tasks)
  }

  #done (): void { this.#busy = false; this.#proceed() }

  #refuseAll (error: Error): void {
    for (const task of this.#tasks.splice(0)) this.reject(task, error)
    this.#trace?.end('none', error)
  }

  #send (tasks: QueuedStatement[], connection: LentConnection): void {
    const [first] = tasks
    const begin = this.#begun ? noLead : beforeTransaction(connection, this.#settings, this.lead)
    const steps = this.#savepoints.stepsTo(first?.savepoint)
    const prelude = [...begin, ...steps.map(({ lead }) => lead)]
    if (this.timedOut !== undefined) this.#timer ??= setTimeout(this.timedOut, this.#settings.timeoutMillis)
    // A raw text without values may be several statements, a COPY or a COMMIT: it is sent alone, after the prelude.
    const alone = prelude.length > 0 && first?.statement.kind === 'raw' && first.statement.values.length === 0
    let open = tasks.length
    let moved = noTasks
    const answered = (task: QueuedStatement, outcome: Outcome): void => {
      if (outcome.preludeDone > 0) this.#begun = true
      if (this.#settings.resolveCommits) this.#identity ??= outcome.preludeValue
      for (const { done } of steps.slice(0, Math.max(outcome.preludeDone - begin.length, 0))) done()
      if (this.#route?.isMovable === true && this.#end === undefined && isFailure(outcome)) moved = [...moved, task]
      else if (alone && outcome.error === undefined) this.#tasks.unshift(task)
      else this.answer(task, outcome, connection)
      if (--open > 0) return
      if (moved.length > 0) this.#moveToPrimary(moved, connection)
      this.#done()
    }
    connection.send(tasks.map((task) => ({ statement: alone ? nothing : task.statement, done: (outcome) => answered(task, outcome) })), prelude)
  }

  #mayReadOutside ({ kind }: Statement): boolean {
    return kind === 'read' && this.#settings.readsOutside && this.#context.pool.readCommitted &&
      this.#end === undefined && this.#connection === undefined && this.#tasks.length === 0
  }

  #readOutside (task: QueuedStatement): void {
    this.#reads ??= new ReadsBeforeBegin(this, this.#context, this.#route)
    this.#reads.start(task, this.lead === undefined)
  }

  /** It has to run in the transaction, before the waiting statements. */
  unsuited (task: QueuedStatement): void {
    this.#trace?.begin()
    this.work.add(task.statement, task.savepoint)
    this.#tasks.unshift(task)
  }

  readEnded (): void { this.#proceed() }

  answer (task: QueuedStatement, { error, result, sent }: Outcome, connection: LentConnection): void {
    this.#route?.answered(task.statement === opening)
    if (error === undefined) {
      // The user's own SQL may have rolled back to a savepoint.
      this.#failure = undefined
      return task.resolve(result as StatementResult<never>)
    }
    const { context, nowait, text } = task.statement
    // A write that is refused as read-only in a read-write transaction is a ConnectionError, too: the server is no longer a primary.
    const failure = failureOn(connection, error, { context, text, readOnly: this.#settings.readOnly, nowait, ...this.#context.words })
    if (sent && this.#isAborted) this.#failure ??= failure
    if (sent) task.reject(errorForCaller(failure, this.#end))
    else this.reject(task, failure)
  }

  reject ({ statement, savepoint, reject }: QueuedStatement, error: Error): void {
    if (statement.kind !== 'read') this.#unsent.add(savepoint, error)
    reject(error)
  }
}
