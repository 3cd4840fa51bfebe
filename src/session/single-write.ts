/**
 * The connection's side of a session with `single`: there is no transaction. Each plain read, and the one write, is a transaction by
 * itself, on a connection that it has for one round trip.
 *
 * Statements keep their order: the write waits for the reads before it, and the reads behind it wait for the write. PostgreSQL has
 * committed the write when its response is complete. From then on nothing undoes it, so everything that would have to be undone with
 * it, or to be done with it, is refused before it is sent: {@link SingleWrite.refuses}.
 */
import { failureOn } from '../connection/outcome.js'
import { statementChannel } from '../channels/channels.js'
import { isWatched } from '../channels/publish.js'
import { traceStatement } from '../channels/statement-trace.js'
import { CommitUnknownError, TransactionAbortedError, TransactionBrokenError, UsageError } from '../errors/errors.js'
import { ignore } from '../runtime/promises.js'
import { mayFollow } from '../statement/may-follow.js'
import { setsSomething } from '../statement/sets-something.js'
import { leadOf } from './transaction/context-lead.js'
import { errorForCaller } from './transaction/end-reason.js'
import { ReadsBeforeBegin } from './transaction/reads-before-begin.js'
import { RequestedWork } from './transaction/requested-work.js'
import { routeOf } from './transaction/replica-route.js'
import type { Outcome } from '../connection/outcome.js'
import type { LentConnection } from '../pool/connection-source.js'
import type { Caller } from '../statement/caller.js'
import type { Statement, StatementResult } from '../statement/statement.js'
import type { TransactionSettings } from '../settings/transaction-options.js'
import type { SessionTransaction } from './scope-root.js'
import type { SessionContext } from './transaction/session-context.js'
import type { ContextLead } from './transaction/context-lead.js'
import type { ReplicaRoute } from './transaction/replica-route.js'
import type { ReadingSession } from './transaction/reads-before-begin.js'

/** The methods whose work may take several statements. */
const several = new Set(['upsert', 'upsertMany', 'getOrCreate'])

interface Task {
  readonly statement: Statement
  readonly resolve: (result: StatementResult<never>) => void
  readonly reject: (error: Error) => void
}

export class SingleWrite implements SessionTransaction, ReadingSession<Task> {
  readonly lead: ContextLead | undefined
  readonly work = new RequestedWork()
  readonly isOpen = false
  readonly holdsConnection = false
  readonly token = undefined
  /** What has become of the write, once it may have been saved. */
  fate: 'committed' | 'unknown' | undefined
  asked = 0
  readonly #context: SessionContext
  readonly #settings: TransactionSettings
  readonly caller: Caller
  readonly #route: ReplicaRoute | undefined
  readonly #reads: ReadsBeforeBegin<Task>
  readonly #writes: ReadsBeforeBegin<Task>
  readonly #tasks: Task[] = []
  readonly #wakers: Array<() => void> = []
  #failure: Error | undefined
  #end: (() => Error) | undefined

  constructor (context: SessionContext, settings: TransactionSettings, caller: Caller) {
    this.#context = context
    this.#settings = settings
    this.caller = caller
    this.lead = leadOf(settings, context.bypassesPolicies)
    this.#route = routeOf(context.replicas, settings)
    this.#reads = new ReadsBeforeBegin(this, context, this.#route)
    this.#writes = new ReadsBeforeBegin(this, context, undefined)
  }

  get isUsed (): boolean { return this.work.hasWritten }

  get isIdle (): boolean { return this.#tasks.length === 0 && this.#reads.isIdle && this.#writes.isIdle }

  /** The reason why the session must not end as a success, if any. */
  get obstacle (): Error | undefined {
    const failure = this.#failure
    return failure === undefined || this.fate !== undefined ? failure : new TransactionAbortedError(undefined, { cause: failure })
  }

  follow (token: unknown): void { this.#route?.follow(token) }

  /** Refuses a call that needs a transaction. The session then must not end as a success: the call may have been the work. */
  refuses (call: string): Error {
    this.#failure ??= needsTransaction(call)
    return needsTransaction(call)
  }

  run (statement: Statement): Promise<StatementResult<never>> {
    this.asked++
    if (!isWatched(statementChannel)) return this.#run(statement)
    return traceStatement(statement, { place: this.#context.place, caller: this.caller, transaction: undefined }, (traced) => this.#run(traced))
  }

  #run (requested: Statement): Promise<StatementResult<never>> {
    return new Promise((resolve, reject) => {
      const refusal = this.caller.refuses?.(requested) ?? this.lead?.prepare() ?? this.#refusalOf(requested)
      const statement = this.lead === undefined ? requested : this.lead.named(requested)
      const task = { statement, resolve, reject }
      if (refusal !== undefined) return this.reject(task, refusal)
      if (statement.kind !== 'read') {
        this.#route?.leave()
        this.work.add(statement, undefined)
      }
      this.#tasks.push(task)
      this.#proceed()
    })
  }

  #refusalOf (statement: Statement): Error | undefined {
    const { kind, text, context: { operation } } = statement
    if (kind === 'read') return undefined
    if (this.work.hasWritten) return needsTransaction('A second write')
    if (several.has(operation)) return needsTransaction(`${operation}()`)
    if (operation === 'begin') return needsTransaction('begin()')
    if (kind === 'write' && /^select/i.test(text)) return needsTransaction('A row lock')
    if (kind === 'raw' && setsSomething(text)) return needsTransaction('A setting (SET, set_config, a role)')
    return this.lead === undefined || mayFollow(statement) ? undefined : needsTransaction('A text of several statements in a context')
  }

  readEnded (): void { this.#proceed() }

  /** Starts what may run now; called after every event. */
  #proceed (): void {
    while (this.#tasks.length > 0 && this.#writes.isIdle) {
      const task = this.#tasks[0] as Task
      const isWrite = task.statement.kind !== 'read'
      if (isWrite && !this.#reads.isIdle) return
      this.#tasks.shift()
      if (isWrite) this.#writes.start(task, false)
      else this.#reads.start(task, this.lead === undefined)
    }
    if (this.isIdle) for (const wake of this.#wakers.splice(0)) wake()
  }

  answer (task: Task, { error, result, lost, ran }: Outcome, connection: LentConnection): void {
    const { context, nowait, text, kind } = task.statement
    const leftOpen = ran && connection.status !== 'I'
    if (kind !== 'read' && ran && !leftOpen) this.fate = 'committed'
    if (leftOpen) return this.reject(task, new TransactionBrokenError('A statement began a transaction of its own, which was undone: leave out transaction.single', { context }))
    if (error === undefined) return task.resolve(result as StatementResult<never>)
    const failure = failureOn(connection, error, { context, text, nowait, ...this.#context.words })
    if (kind === 'read' || !lost) return this.reject(task, errorForCaller(failure, this.#end))
    this.fate = 'unknown'
    this.reject(task, new CommitUnknownError(undefined, { cause: failure.cause, context }))
  }

  reject ({ statement, reject }: Task, error: Error): void {
    if (statement.kind !== 'read') this.#failure ??= error
    reject(error)
  }

  idle (): Promise<void> {
    return new Promise((resolve) => {
      this.#wakers.push(resolve)
      this.#proceed()
    })
  }

  /** There are no savepoints. */
  readonly release = ignore
  readonly undo = ignore

  /** The write has committed, or there was none. */
  readonly commit = ignore

  /** Ends what still runs: a write that is cancelled before PostgreSQL has committed it is not saved. Never rejects. */
  async rollback (): Promise<void> {
    const { settleTimeoutMillis } = this.#settings
    await Promise.all([this.#reads.abandon(settleTimeoutMillis), this.#writes.abandon(settleTimeoutMillis)])
  }

  close (reason: () => Error): void {
    this.#end = reason
    for (const { reject } of this.#tasks.splice(0)) reject(reason())
    this.#reads.close(reason)
    this.#writes.close(reason)
    this.#proceed()
  }
}

function needsTransaction (call: string): UsageError {
  return new UsageError(`${call} needs a transaction, and this session has none: with transaction.single its one write commits by itself. Leave that option out here`)
}
