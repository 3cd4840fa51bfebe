import { createTime, leaks, operationDuration, retries, returnedRows, timeouts, transactions, useTime, waitTime } from './figures.js'
import { known } from './attributes.js'
import { observePools } from './pool-figures.js'
import { statementAttributes } from './statement-attributes.js'
import { Totals } from './totals.js'
import { acquireChannel, connectChannel, leakChannel, releaseChannel, retryChannel, statementChannel, transactionChannel } from '../channels/channels.js'
import { openPools } from '../channels/open-pools.js'
import { subscribe } from '../channels/subscribe.js'
import type { AcquireMessage, ConnectMessage, LeakMessage, ReleaseMessage, RetryMessage, StatementMessage, TransactionMessage, TransactionOutcome } from '../channels/messages.js'
import type { Attributes } from './attributes.js'
import type { HistogramFigure, ObservedFigure } from './figures.js'
import type { Observation } from './totals.js'

/** Takes a value of a figure. */
export type Record = (figure: HistogramFigure, value: number, attributes: Attributes) => void

const outcomes: readonly TransactionOutcome[] = ['committed', 'rolledBack', 'unknown', 'none']
const conflicts = ['40001', '40P01']

/** Turns the messages of the channels into figures, from its beginning to its end. */
export class FiguresWatch {
  readonly #record: Record
  readonly #counts = new Map<ObservedFigure, Totals>([timeouts, transactions, retries, leaks].map((figure) => [figure, new Totals()]))
  readonly #subscriptions: ReadonlyArray<() => void>

  /** Begins to watch. */
  constructor (record: Record) {
    this.#record = record
    this.#subscriptions = [
      subscribe(statementChannel.asyncEnd, this.#statement),
      subscribe(transactionChannel.asyncEnd, this.#transaction),
      subscribe(acquireChannel.asyncEnd, this.#acquire),
      subscribe(releaseChannel, this.#release),
      subscribe(connectChannel, this.#connect),
      subscribe(leakChannel, this.#leak),
      subscribe(retryChannel, this.#retry)
    ]
  }

  /** Stops watching. */
  end (): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe()
  }

  /** The values of a figure at this moment. */
  observe (figure: ObservedFigure): Observation[] {
    this.#beginCounts()
    const totals = this.#counts.get(figure) ?? observePools().get(figure) as Totals // every other figure is one of pools
    return totals.observe()
  }

  /** Counts of open pools begin with 0, because an alert on the growth of a count cannot see its first value. */
  #beginCounts (): void {
    for (const { database, pool } of openPools) {
      this.#count(timeouts, ofPool(pool), 0)
      this.#count(leaks, ofPool(pool), 0)
      for (const outcome of outcomes) this.#count(transactions, ofTransaction(database, outcome), 0)
      for (const sqlState of conflicts) this.#count(retries, ofRetry(database, sqlState), 0)
    }
  }

  #count (figure: ObservedFigure, attributes: Attributes, value = 1): void {
    this.#counts.get(figure)?.add(attributes, value)
  }

  readonly #statement = (message: StatementMessage): void => {
    const { durationMillis, returnedRows: rows } = message
    if (durationMillis === undefined) return
    const attributes = statementAttributes(message)
    this.#record(operationDuration, durationMillis / 1000, attributes)
    if (rows !== undefined) this.#record(returnedRows, rows, attributes)
  }

  readonly #transaction = ({ database, outcome }: TransactionMessage): void => this.#count(transactions, ofTransaction(database, outcome))

  readonly #acquire = ({ pool, outcome, waitMillis }: AcquireMessage): void => {
    if (outcome === 'lent') this.#record(waitTime, Number(waitMillis) / 1000, ofPool(pool))
    if (outcome === 'timedOut') this.#count(timeouts, ofPool(pool))
  }

  readonly #release = ({ pool, heldMillis }: ReleaseMessage): void => this.#record(useTime, heldMillis / 1000, ofPool(pool))

  readonly #connect = ({ pool, durationMillis }: ConnectMessage): void => {
    if (durationMillis !== undefined) this.#record(createTime, durationMillis / 1000, ofPool(pool))
  }

  readonly #leak = ({ pool }: LeakMessage): void => this.#count(leaks, ofPool(pool))

  readonly #retry = ({ database, sqlState }: RetryMessage): void => this.#count(retries, ofRetry(database, sqlState))
}

function ofPool (pool: string): Attributes {
  return { 'db.client.connection.pool.name': pool }
}

function ofTransaction (database: string, outcome: TransactionOutcome | undefined): Attributes {
  return known({ 'data_access.database': database, 'data_access.transaction.outcome': outcome })
}

function ofRetry (database: string, sqlState: string | undefined): Attributes {
  return known({ 'data_access.database': database, 'db.response.status_code': sqlState })
}
