/**
 * One checked-out connection: runs what it is given one statement after the other, in call order, and goes back exactly once.
 *
 * Three things are decided here, between the answer to one statement and the sending of the next, because nowhere else is
 * early enough: a BEGIN that failed, a transaction that the user's own SQL has ended, and a connection that was lost. After
 * each of them nothing more is sent, or the next statement would commit by itself.
 */
import { ConnectionError, DatabaseError, TransactionAbortedError, TransactionBrokenError, TransactionClosedError, ValidationError } from '../errors/errors.js'
import { isConnectionLost } from '../errors/sqlstate.js'
import { MessageGroup } from './message-group.js'
import { isOrdinary, onceReady, requestCancel } from './pg-internals.js'
import { PlainExchange } from './plain-exchange.js'
import type { Answer } from './answer.js'
import type { Exchange } from './exchange.js'
import type { TransactionStatus } from './pg-internals.js'
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

/** A statement, and who wants to know what became of it. */
export interface Task {
  readonly statement: Statement
  readonly done: (outcome: Outcome) => void
}

/** Statements that travel together. */
interface Batch {
  readonly lead: readonly string[]
  readonly tasks: readonly Task[]
  /** Sent for the second time, without names. */
  readonly isRepeated: boolean
}

/** What a connection is told once. */
export interface ConnectionOptions {
  /** Whether PostgreSQL may keep statements by their names. */
  readonly prepares: boolean
  readonly giveBack: (destroyed: boolean) => void
  readonly observe: StatementObserver
}

/** Sees each statement when it is answered: for echo, slow queries, and what may come (metrics, tracing). */
export type StatementObserver = (statement: Statement, lead: readonly string[], durationMillis: number) => void

export class Connection {
  readonly #pooled: PooledClient
  readonly #options: ConnectionOptions
  readonly #queue: Batch[] = []
  #waiting: Array<() => void> = []
  #active: Batch | undefined
  #inTransaction = false
  #refusal: Error | undefined
  #released = false

  constructor (pooled: PooledClient, options: ConnectionOptions) {
    this.#pooled = pooled
    this.#options = options
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

  /** Why nothing more is sent over this connection, if so. */
  get refusal (): Error | undefined { return this.#refusal ?? this.#pooled.lost }

  /** Says that from the next statement on this connection is inside a transaction, until {@link leaveTransaction}. */
  enterTransaction (): void { this.#inTransaction = true }

  /** Says that the next statement ends the transaction. */
  leaveTransaction (): void { this.#inTransaction = false }

  /** Runs a statement behind those that were given before it; `lead` travels with it and comes first. Never rejects. */
  run (statement: Statement, lead: readonly string[] = []): Promise<Outcome> {
    return new Promise((resolve) => this.send([{ statement, done: resolve }], lead))
  }

  /** Runs statements in one round trip, behind those that were given before them; behind a failure none takes effect. */
  send (tasks: readonly Task[], lead: readonly string[] = []): void {
    this.#queue.push({ tasks, lead, isRepeated: false })
    this.#proceed()
  }

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
    this.#released = true
    this.#refusal ??= new TransactionClosedError()
    this.#options.giveBack(destroyed)
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

  #send (batch: Batch): void {
    const { client } = this.#pooled
    const exchange = this.#exchange(batch)
    const sent: Task[] = []
    for (const task of batch.tasks) {
      try {
        exchange.add(task.statement)
        sent.push(task)
      } catch (error) {
        task.done(notSent(new ValidationError('A value cannot be written as text', { cause: error, context: task.statement.context })))
      }
    }
    if (sent.length === 0) return
    const started = performance.now()
    const finish = (error: Error | undefined): void => this.#finish({ ...batch, tasks: sent }, exchange, { error, started })
    this.#active = batch
    this.#pooled.missedTransaction = false
    exchange.send((error) => {
      if (error === undefined || exchange.isAnswered) finish(undefined)
      else if (isConnectionLost(error) || this.#pooled.lost !== undefined) {
        this.#pooled.lost ??= error
        finish(error)
      } else {
        // pg tells of an error before PostgreSQL is ready again and has said what became of the transaction.
        onceReady(client, () => finish(error))
      }
    })
  }

  #exchange ({ lead, tasks, isRepeated }: Batch): Exchange {
    const { client, prepared } = this.#pooled
    if (!isOrdinary(client)) return new PlainExchange(client, lead)
    const isAlone = lead.length === 0 && tasks.length === 1
    return new MessageGroup(client, { lead, isAlone, prepared: this.#options.prepares && !isRepeated ? prepared : undefined })
  }

  #finish (batch: Batch, exchange: Exchange, { error, started }: { error: Error | undefined, started: number }): void {
    const { lost, missedTransaction } = this.#pooled
    const isLost = lost !== undefined
    // Nothing of it has taken effect, and there is no transaction that has failed.
    const isRepeatable = exchange.isStale && !isLost && this.status === 'I'
    if (isRepeatable) return this.#send({ ...batch, isRepeated: true })
    const failure = error !== undefined && exchange.isStale ? new ConnectionError(undefined, { cause: error }) : error
    // Of a connection that was lost the last word on the transaction is an old one.
    if (!isLost) this.#refusal ??= this.#judge(batch, exchange, failure)
    const durationMillis = performance.now() - started
    const { led, leadAnswer } = exchange
    this.#active = undefined
    const failed = exchange.answers.findIndex(({ isDone }) => isLost || !isDone)
    for (const [place, { statement, done }] of batch.tasks.entries()) {
      this.#options.observe(statement, place === 0 ? batch.lead : [], durationMillis)
      // An implicit commit may fail when everything is done.
      const error = failed === -1 || place === failed || led < batch.lead.length ? failure : place < failed ? undefined : skipped(failure)
      done({ ...resultOf(exchange.answers[place] as Answer, error), sent: true, lost: isLost, led, leadAnswer, missedTransaction })
    }
    this.#proceed()
  }

  /** Why nothing may be sent behind statements that were answered, if so. */
  #judge ({ lead, tasks: [task] }: Batch, { led, answers }: Exchange, error: Error | undefined): Error | undefined {
    if (led < lead.length && this.status === 'I') return error
    return this.#inTransaction ? endedByUser(answers.flatMap(({ tags }) => tags), this.status, String(task?.statement.text)) : undefined
  }
}

function notSent (error: Error): Outcome {
  return { error, result: undefined, sent: false, lost: false, led: 0, leadAnswer: undefined, missedTransaction: false }
}

/** What befalls a statement whose predecessor in the same transaction has failed. */
function skipped (cause: Error | undefined): Error {
  return new TransactionAbortedError(undefined, { cause })
}

function resultOf ({ statement, unreadable, rows, rowCount, command, fields }: Answer, error: Error | undefined): Pick<Outcome, 'error' | 'result'> {
  if (error !== undefined) return { error, result: undefined }
  if (unreadable === undefined) return { error: undefined, result: { rows: rows as never[], rowCount, command, fields } }
  return { error: new DatabaseError('A column of a row cannot be read: its parser failed', { cause: unreadable, context: statement.context }), result: undefined }
}

/**
 * Whether a statement has ended the transaction that it ran in: then what follows would run outside, or in another one.
 *
 * PostgreSQL's word on the transaction tells, unless the same text began another one. `ROLLBACK TO SAVEPOINT` has the tag
 * ROLLBACK too, and leaves the transaction open.
 */
function endedByUser (tags: readonly string[], status: TransactionStatus, text: string): TransactionBrokenError | undefined {
  const rollback = tags.indexOf('ROLLBACK')
  const begunAnew = tags.some((tag, position) => position > rollback && ['BEGIN', 'START TRANSACTION', 'START'].includes(tag)) || /\band\b.*\bchain\b/is.test(text)
  const ended = status === 'I' || tags.includes('COMMIT') || tags.includes('PREPARE TRANSACTION') || (rollback !== -1 && begunAnew)
  if (!ended) return undefined
  const kinds = tags.filter((tag) => ['COMMIT', 'ROLLBACK', 'PREPARE TRANSACTION'].includes(tag)).join(', ')
  return new TransactionBrokenError(undefined, { context: { operation: kinds === '' ? 'transaction control' : kinds } })
}
