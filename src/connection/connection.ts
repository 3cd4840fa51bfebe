/**
 * One checked-out connection: runs what it is given one statement after the other, in call order, and goes back exactly once.
 *
 * Three things are decided here, between the answer to one statement and the sending of the next, because nowhere else is
 * early enough: a BEGIN that failed, a transaction that the user's own SQL has ended, and a connection that was lost. After
 * each of them nothing more is sent, or the next statement would commit by itself.
 */
import type { QueryResult } from 'pg'
import { ConnectionError, TransactionBrokenError, TransactionClosedError } from '../errors/errors.js'
import { isConnectionLost } from '../errors/sqlstate.js'
import { MessageGroup, onceReady, requestCancel } from './message-group.js'
import type { TransactionStatus } from './message-group.js'
import type { PooledClient } from './pooled-client.js'
import type { Statement, StatementResult } from '../session/statement.js'

/** How a statement reached PostgreSQL, for whoever has to tell what became of it. */
export interface Outcome {
  /** The error as pg gave it, or what kept the statement from being sent. */
  readonly error: Error | undefined
  readonly result: StatementResult<never> | undefined
  /** Whether any byte of it may have left. */
  readonly sent: boolean
  /** Whether the connection went with it: what PostgreSQL did is not known then. */
  readonly lost: boolean
  /** How many of the leading statements took effect. */
  readonly led: number
}

interface Task {
  readonly statement: Statement
  readonly lead: readonly string[]
  readonly done: (outcome: Outcome) => void
}

/** Sees each statement when it is answered: for echo, slow queries, and what may come (metrics, tracing). */
export type StatementObserver = (statement: Statement, lead: readonly string[], durationMillis: number) => void

export class Connection {
  readonly #pooled: PooledClient
  readonly #giveBack: (destroyed: boolean) => void
  readonly #observe: StatementObserver
  readonly #queue: Task[] = []
  readonly #idle: Array<() => void> = []
  #active: Task | undefined
  #inTransaction = false
  #refusal: Error | undefined
  #released = false

  constructor (pooled: PooledClient, giveBack: (destroyed: boolean) => void, observe: StatementObserver) {
    this.#pooled = pooled
    this.#giveBack = giveBack
    this.#observe = observe
  }

  /** Whether each statement on this connection has a snapshot of its own unless a BEGIN says otherwise. */
  get readCommitted (): boolean { return this.#pooled.readCommitted }

  /** PostgreSQL's last word on the transaction. */
  get status (): TransactionStatus { return this.#pooled.status }

  /** Why nothing more is sent over this connection, if so. */
  get refusal (): Error | undefined { return this.#refusal ?? this.#pooled.lost }

  /** Says that from the next statement on this connection is inside a transaction, until {@link leaveTransaction}. */
  enterTransaction (): void { this.#inTransaction = true }

  /** Says that the next statement ends the transaction. */
  leaveTransaction (): void { this.#inTransaction = false }

  /** Runs a statement behind those that were given before it; `lead` travels with it and comes first. Never rejects. */
  run (statement: Statement, lead: readonly string[] = []): Promise<Outcome> {
    return new Promise((resolve) => {
      const task = { statement, lead, done: resolve }
      if (this.#active === undefined) this.#send(task)
      else this.#queue.push(task)
    })
  }

  /** Resolves when all that was given to run has been answered. */
  idle (): Promise<void> {
    return new Promise((resolve) => {
      if (this.#active === undefined) resolve()
      else this.#idle.push(resolve)
    })
  }

  /** Asks PostgreSQL to give up the running statement; resolves when a late cancel can hit nothing else any more. */
  async cancel (timeoutMillis: number): Promise<void> {
    if (this.#active !== undefined && this.#pooled.lost === undefined) await requestCancel(this.#pooled.client, timeoutMillis)
  }

  /** Gives the connection back, to the pool if it is sure to be clean, else to be destroyed. */
  release (): void {
    if (this.#active === undefined && this.refusal === undefined && this.status === 'I') this.#return(false)
    else this.destroy()
  }

  /** Ends the connection now: PostgreSQL rolls back what was not committed. */
  destroy (): void {
    if (this.#released) return
    this.#refusal ??= new ConnectionError()
    this.#return(true)
  }

  #return (destroyed: boolean): void {
    if (this.#released) return
    this.#released = true
    this.#refusal ??= new TransactionClosedError()
    this.#giveBack(destroyed)
  }

  #send (task: Task): void {
    const refusal = this.refusal
    if (refusal !== undefined) return this.#answer(task, { error: refusal, result: undefined, sent: false, lost: false, led: 0 })
    let group: MessageGroup
    const started = performance.now()
    try {
      group = new MessageGroup(task.lead, task.statement, (error, result) => {
        if (error === null) this.#answered(task, group, { started, error: undefined, result })
        else if (isConnectionLost(error) || this.#pooled.lost !== undefined) this.#lost(task, group, { started, error })
        // pg tells of PostgreSQL's error before PostgreSQL is ready again and has said what became of the transaction;
        // of an error in reading the rows it tells afterwards.
        else if ('severity' in error) onceReady(this.#pooled.client, () => this.#answered(task, group, { started, error, result: undefined }))
        else this.#answered(task, group, { started, error, result: undefined })
      })
    } catch (error) {
      // A value that cannot be written as text: nothing was sent.
      return this.#answer(task, { error: error as Error, result: undefined, sent: false, lost: false, led: 0 })
    }
    this.#active = task
    this.#pooled.client.query(group as never)
  }

  #lost (task: Task, group: MessageGroup, { started, error }: { started: number, error: Error }): void {
    this.#pooled.lost ??= error
    this.#answered(task, group, { started, error, result: undefined })
  }

  #answered (task: Task, group: MessageGroup, { started, error, result }:
  { started: number, error: Error | undefined, result: QueryResult | QueryResult[] | undefined }): void {
    const results = result === undefined ? [] : [result].flat()
    if (group.completed < task.lead.length && error !== undefined && this.status === 'I') this.#refusal ??= error
    else if (this.#inTransaction) this.#refusal ??= endedByUser(results, this.status, task.statement)
    this.#observe(task.statement, task.lead, performance.now() - started)
    // An array of results comes from several statements in one text: the last one is the answer.
    const answer = results.at(-1) as StatementResult<never> | undefined
    this.#answer(task, { error, result: answer, sent: true, lost: this.#pooled.lost !== undefined, led: group.completed })
  }

  #answer (task: Task, outcome: Outcome): void {
    this.#active = undefined
    task.done(outcome)
    const next = this.#queue.shift()
    if (next !== undefined) return this.#send(next)
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}

/**
 * Whether a statement has ended the transaction that it ran in: then what follows would run outside, or in another one.
 * `ROLLBACK TO SAVEPOINT` has the tag ROLLBACK too, and leaves the transaction open.
 */
function endedByUser (results: QueryResult[], status: TransactionStatus, { text, kind }: Statement): TransactionBrokenError | undefined {
  const tags = results.map((result) => result.command)
  const restarted = tags.some((tag, position) => tag === 'ROLLBACK' && ['BEGIN', 'START'].includes(tags[position + 1] ?? ''))
  const chained = kind === 'raw' && tags.includes('ROLLBACK') && /\band\s+chain\b/i.test(text)
  if (status !== 'I' && !tags.includes('COMMIT') && !tags.includes('PREPARE') && !restarted && !chained) return undefined
  const kinds = tags.filter((tag) => ['COMMIT', 'ROLLBACK', 'PREPARE'].includes(tag)).join(', ')
  return new TransactionBrokenError(undefined, { context: { operation: kinds === '' ? 'transaction control' : kinds } })
}
