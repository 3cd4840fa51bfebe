/**
 * The latest transactions of a database, in bounded memory: a thousand of all, and a thousand of those that failed or were slow, which others would soon push
 * out. A statement that commits by itself is a transaction, too. No message is kept beyond its end: its error may hold values, and its caller a request.
 */
import { messageCaller } from '../channels/messages.js'
import { codeOf } from '../pg/error-code.js'
import { CommitUnknownError } from '../errors/errors.js'
import { clipped } from './clipped.js'
import { Ring } from './ring.js'
import type { AcquireMessage, StatementMessage, TransactionMessage } from '../channels/messages.js'
import type { Caller } from '../statement/caller.js'
import type { RecordedStatement, RecordedTransaction } from './activity.js'

/** The transactions that are kept, of each sort. */
const keptTransactions = 1000

/** The statements that are kept of a transaction: the latest. */
const keptStatements = 100

/** Transactions that took longer than this, in milliseconds, are slow. */
const slowMillis = 100

/** The most characters of all texts in a recording. */
const mostCharacters = 1_000_000

type WorkMessage = TransactionMessage | StatementMessage
type Outcome = RecordedTransaction['outcome']
type RunningStatement = { -readonly [Key in keyof RecordedStatement]: RecordedStatement[Key] }

/** A transaction that has not ended, or a statement outside one. */
export interface OpenWork {
  readonly message: WorkMessage
  /** In milliseconds since 1970, and on the clock of `performance.now()`. */
  readonly at: number
  readonly started: number
  readonly attempt: number
  /** The latest. */
  readonly statements: RunningStatement[]
  statementCount: number
}

/** The latest statement of a transaction; empty before its first, and if the transaction is not known. */
export function latestText (work: Pick<RecordedTransaction, 'statements'> | undefined): string {
  return work?.statements.at(-1)?.text ?? ''
}

/** How long somebody waited for a connection, and for which. */
interface Wait {
  readonly millis: number
  readonly processId: number | undefined
}

/** Records transactions. */
export class TransactionLog {
  readonly #open = new Map<WorkMessage, OpenWork>()
  readonly #running = new Map<StatementMessage, RunningStatement>()
  readonly #latest = new Ring<RecordedTransaction>(keptTransactions)
  readonly #noteworthy = new Ring<RecordedTransaction>(keptTransactions)
  /** The last wait of a caller, until the work that it was for has ended. */
  readonly #waits = new WeakMap<Caller, Wait>()

  /** The transactions that have not ended, and the statements outside one, oldest first. */
  get open (): Iterable<OpenWork> { return this.#open.values() }

  transactionStarted (message: TransactionMessage): void {
    this.#begin(message, message.attempt)
  }

  transactionEnded (message: TransactionMessage): void {
    this.#end(message, message.outcome ?? 'none')
  }

  statementStarted (message: StatementMessage): void {
    const work = this.workOf(message) ?? this.#begin(message, 1)
    const statement = { at: Date.now(), text: clipped(message.text), millis: null, rows: null, sqlState: null, code: null }
    this.#running.set(message, statement)
    work.statementCount++
    work.statements.push(statement)
    if (work.statements.length > keptStatements) work.statements.shift()
  }

  statementEnded (message: StatementMessage): void {
    const { durationMillis = null, rows = null, sqlState = null, error } = message
    Object.assign(this.#running.get(message) ?? {}, { millis: durationMillis, rows, sqlState, code: codeOf(error) ?? null })
    this.#running.delete(message)
    this.#end(message, outcomeOf(message))
  }

  waitEnded ({ [messageCaller]: caller, waitMillis: millis = 0, processId }: AcquireMessage): void {
    this.#waits.set(caller, { millis, processId })
  }

  /** What a message is about, as long as it is open: a transaction, for its statements, too, or a statement outside one. */
  workOf (message: WorkMessage): OpenWork | undefined {
    return this.#open.get('transaction' in message ? message.transaction ?? message : message)
  }

  /** The transaction that a caller has open, or its statement outside one: the latest. */
  workFor (caller: Caller): OpenWork | undefined {
    return [...this.#open.values()].findLast(({ message }) => message[messageCaller] === caller)
  }

  /** The transaction, or the statement outside one, that a process of PostgreSQL runs. */
  workOn (processId: number | null): OpenWork | undefined {
    return [...this.#open.values()].find(({ message }) => this.processOf(message) === processId)
  }

  /** The process of PostgreSQL that runs a transaction or a statement; undefined as long as it waits for a connection. */
  processOf (message: WorkMessage): number | undefined {
    return message.processId ?? this.#waits.get(message[messageCaller])?.processId
  }

  /** The latest transaction that a process of PostgreSQL has run, whether it is still open or not. */
  lastOn (processId: number): { readonly route: string, readonly statements: readonly RecordedStatement[] } | undefined {
    const work = this.workOn(processId)
    if (work !== undefined) return { route: work.message.route, statements: work.statements }
    return this.#latest.all().findLast((record) => record.processId === processId)
  }

  /** The transactions that were under way in the last seconds, oldest first: those that are still open, and the latest of those that have ended. */
  recorded (seconds: number): RecordedTransaction[] {
    const since = Date.now() - seconds * 1000
    const ended = [...new Set([...this.#noteworthy.all(), ...this.#latest.all()])].filter(({ at, millis }) => at + Number(millis) >= since)
    const open = Array.from(this.#open.values(), (work) => this.#recordOf(work, 'open'))
    return withinSize([...ended, ...open].sort((one, other) => one.at - other.at))
  }

  #begin (message: WorkMessage, attempt: number): OpenWork {
    const work = { message, at: Date.now(), started: performance.now(), attempt, statements: [], statementCount: 0 }
    this.#open.set(message, work)
    return work
  }

  /** Nothing is known of work that began before the log did. */
  #end (message: WorkMessage, outcome: Outcome): void {
    const work = this.#open.get(message)
    if (work === undefined) return
    this.#open.delete(message)
    const record = this.#recordOf(work, outcome)
    this.#waits.delete(message[messageCaller])
    this.#latest.add(record)
    if (record.code !== null || Number(record.millis) > slowMillis || record.statements.some(({ code }) => code !== null)) this.#noteworthy.add(record)
  }

  #recordOf ({ message, at, started, attempt, statements, statementCount }: OpenWork, outcome: Outcome): RecordedTransaction {
    const { route, error, sqlState = null, [messageCaller]: caller } = message
    return {
      at,
      route,
      attempt,
      processId: this.processOf(message) ?? null,
      waitMillis: this.#waits.get(caller)?.millis ?? null,
      millis: outcome === 'open' ? null : performance.now() - started,
      outcome,
      code: codeOf(error) ?? null,
      sqlState,
      statementCount,
      // Those of open work still change.
      statements: statements.map((statement) => ({ ...statement }))
    }
  }
}

/** The end of a statement that commits by itself; one that was never sent has none. */
function outcomeOf ({ error, durationMillis }: StatementMessage): Outcome {
  if (error === undefined) return 'committed'
  if (error instanceof CommitUnknownError) return 'unknown'
  return durationMillis === undefined ? 'none' : 'rolledBack'
}

/** The latest transactions whose texts are not too long together. */
function withinSize (transactions: RecordedTransaction[]): RecordedTransaction[] {
  let characters = 0
  const first = transactions.findLastIndex(({ statements }) => {
    characters += statements.reduce((sum, { text }) => sum + text.length, 0)
    return characters > mostCharacters
  })
  return transactions.slice(first + 1)
}
