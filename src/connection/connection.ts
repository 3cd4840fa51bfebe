/**
 * One checked-out connection: runs what it is given one statement after the other, in call order, and goes back exactly once.
 *
 * Three things are decided here, between the answer to one statement and the sending of the next, because nowhere else is
 * early enough: a BEGIN that failed, a transaction that the user's own SQL has ended, and a connection that was lost. After
 * each of them nothing more is sent, or the next statement would commit by itself.
 */
import type { QueryResult } from 'pg'
import { ConnectionError, DatabaseError, TransactionBrokenError, TransactionClosedError, ValidationError } from '../errors/errors.js'
import { isConnectionLost } from '../errors/sqlstate.js'
import { MessageGroup, bytesReadBy, onceReady, requestCancel } from './message-group.js'
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
  /** The first column of what the last leading query answered, as text. */
  readonly leadAnswer: string | undefined
  /** Whether the statement was to end a transaction and PostgreSQL had none: a pooler on the way has changed the server, say. */
  readonly missedTransaction: boolean
}

interface Task {
  readonly statement: Statement
  readonly lead: readonly string[]
  readonly done: (outcome: Outcome) => void
}

/** A statement whose answer is awaited. */
export interface Running {
  readonly text: string
  /** When it was sent, on the clock of `performance.now()`. */
  readonly since: number
  readonly inTransaction: boolean
  /** Whether the user's own SQL may have changed the limit of the statements on this connection. */
  readonly hasOwnLimit: boolean
}

/** Sees each statement when it is answered: for echo, slow queries, and what may come (metrics, tracing). */
export type StatementObserver = (statement: Statement, lead: readonly string[], durationMillis: number) => void

/** PostgreSQL's name for the longest run of a statement, in the case that the user likes. */
const limitName = /statement_timeout/i

export class Connection {
  readonly #pooled: PooledClient
  readonly #giveBack: (destroyed: boolean) => void
  readonly #observe: StatementObserver
  readonly #queue: Task[] = []
  readonly #idle: Array<() => void> = []
  #active: Task | undefined
  #inTransaction = false
  #sentAt = 0
  #hasOwnLimit = false
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

  /** What it does, for the log. */
  get state (): 'running' | 'idle in transaction' | 'idle' {
    if (this.#active !== undefined) return 'running'
    return this.status === 'I' ? 'idle' : 'idle in transaction'
  }

  /** The statement whose answer is awaited. */
  get running (): Running | undefined {
    if (this.#active === undefined) return undefined
    const { statement: { text } } = this.#active
    return { text, since: this.#sentAt, inTransaction: this.#inTransaction, hasOwnLimit: this.#hasOwnLimit || this.#pooled.hasOwnLimit }
  }

  /** How many bytes have come from the server so far. */
  get bytesRead (): number { return bytesReadBy(this.#pooled.client) }

  /** Why nothing more is sent over this connection, if so. */
  get refusal (): Error | undefined { return this.#refusal ?? this.#pooled.lost }

  /** Says that from the next statement on this connection is inside a transaction, until {@link leaveTransaction}. */
  enterTransaction (): void { this.#inTransaction = true }

  /** Says that the next statement ends the transaction. */
  leaveTransaction (): void { this.#inTransaction = false }

  /** Runs a statement behind those that were given before it; `lead` travels with it and comes first. Never rejects. */
  run (statement: Statement, lead: readonly string[] = []): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#queue.push({ statement, lead, done: resolve })
      this.#proceed()
    })
  }

  /** Whether nothing runs. */
  get isIdle (): boolean { return this.#active === undefined }

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
    this.#refusal ??= new TransactionClosedError()
    this.#giveBack(destroyed)
  }

  /** Sends what waits, one statement at a time; all at once it is refused. */
  #proceed (): void {
    while (this.#active === undefined && this.#queue.length > 0) {
      const { refusal } = this
      if (refusal === undefined) for (const task of this.#queue.splice(0, 1)) this.#send(task)
      else for (const { done } of this.#queue.splice(0)) done(notSent(refusal))
    }
    if (this.#active === undefined) for (const resolve of this.#idle.splice(0)) resolve()
  }

  #send (task: Task): void {
    const { statement, lead, done } = task
    const started = performance.now()
    let group: MessageGroup
    try {
      group = new MessageGroup(lead, statement, (error, result) => {
        if (error === null) this.#answered(task, group, { started, error: undefined, result })
        else if (group.answered) this.#answered(task, group, { started, error: unreadable(error, statement), result: undefined })
        else if (isConnectionLost(error) || this.#pooled.lost !== undefined) this.#lost(task, group, { started, error })
        // pg tells of an error before PostgreSQL is ready again and has said what became of the transaction.
        else onceReady(this.#pooled.client, () => this.#answered(task, group, { started, error, result: undefined }))
      })
    } catch (error) {
      return done(notSent(new ValidationError('A value cannot be written as text', { cause: error, context: statement.context })))
    }
    this.#active = task
    this.#sentAt = started
    if (statement.kind === 'raw') this.#noteLimit(statement)
    this.#pooled.missedTransaction = false
    this.#pooled.client.query(group as never)
  }

  /** `SET LOCAL` ends with the transaction, and that before the connection is given back; anything else may stay. */
  #noteLimit ({ text, values }: Statement): void {
    if (!limitName.test(text) && !values.includes('statement_timeout')) return
    if (/\bset\s+local\b/i.test(text)) this.#hasOwnLimit = true
    else this.#pooled.hasOwnLimit = true
  }

  #lost (task: Task, group: MessageGroup, { started, error }: { started: number, error: Error }): void {
    this.#pooled.lost ??= error
    this.#answered(task, group, { started, error, result: undefined })
  }

  #answered (task: Task, group: MessageGroup, { started, error, result }:
  { started: number, error: Error | undefined, result: QueryResult | QueryResult[] | undefined }): void {
    const lost = this.#pooled.lost !== undefined
    // Of a connection that was lost the last word on the transaction is an old one.
    if (!lost) this.#refusal ??= this.#judge(task, group, error)
    this.#observe(task.statement, task.lead, performance.now() - started)
    // An array of results comes from several statements in one text: the last one is the answer.
    const answer = [result].flat().at(-1) as StatementResult<never> | undefined
    this.#active = undefined
    const { completed: led, leadAnswer } = group
    task.done({ error, result: answer, sent: true, lost, led, leadAnswer, missedTransaction: this.#pooled.missedTransaction })
    this.#proceed()
  }

  /** Why nothing may be sent behind a statement that was answered, if so. */
  #judge ({ lead, statement }: Task, { completed, tags }: MessageGroup, error: Error | undefined): Error | undefined {
    if (completed < lead.length && this.status === 'I') return error
    return this.#inTransaction ? endedByUser(tags, this.status, statement.text) : undefined
  }
}

function notSent (error: Error): Outcome {
  return { error, result: undefined, sent: false, lost: false, led: 0, leadAnswer: undefined, missedTransaction: false }
}

function unreadable (cause: Error, { context }: Statement): DatabaseError {
  return new DatabaseError('A column of a row cannot be read: its parser failed', { cause, context })
}

/**
 * Whether a statement has ended the transaction that it ran in: then what follows would run outside, or in another one.
 *
 * PostgreSQL's word on the transaction tells, unless the same text began another one. `ROLLBACK TO SAVEPOINT` has the tag
 * ROLLBACK too, and leaves the transaction open.
 */
function endedByUser (tags: readonly string[], status: TransactionStatus, text: string): TransactionBrokenError | undefined {
  const rollback = tags.indexOf('ROLLBACK')
  const begunAnew = tags.some((tag, position) => position > rollback && ['BEGIN', 'START TRANSACTION'].includes(tag)) || /\band\b.*\bchain\b/is.test(text)
  const ended = status === 'I' || tags.includes('COMMIT') || tags.includes('PREPARE TRANSACTION') || (rollback !== -1 && begunAnew)
  if (!ended) return undefined
  const kinds = tags.filter((tag) => ['COMMIT', 'ROLLBACK', 'PREPARE TRANSACTION'].includes(tag)).join(', ')
  return new TransactionBrokenError(undefined, { context: { operation: kinds === '' ? 'transaction control' : kinds } })
}
