import { Histogram } from './histogram.js'
import { Ring } from './ring.js'
import type { AcquireMessage, StatementMessage, TransactionMessage } from '../channels/messages.js'
import type { Second } from './activity.js'

/** How many seconds are kept. */
const keptSeconds = 60

/** The connections of a database at one moment, by state. */
export type ConnectionStates = Pick<Second, 'running' | 'idleInTransaction' | 'idle' | 'waiting'>

/** What happened in a second so far. */
class Counts {
  readonly waits = new Histogram()
  commits = 0
  rollbacks = 0
  unknown = 0
  statements = 0
  failures = 0
}

/** Counts what happens in each second of the last minute. */
export class SecondCounter {
  readonly #seconds = new Ring<Second>(keptSeconds)
  #counts = new Counts()

  statement ({ error }: StatementMessage): void {
    this.#counts.statements++
    if (error !== undefined) this.#counts.failures++
  }

  transaction ({ outcome }: TransactionMessage): void {
    if (outcome === 'committed') this.#counts.commits++
    else if (outcome === 'rolledBack') this.#counts.rollbacks++
    else if (outcome === 'unknown') this.#counts.unknown++
  }

  wait ({ waitMillis = 0 }: AcquireMessage): void {
    this.#counts.waits.add(waitMillis)
  }

  /** Ends the second. */
  end (states: ConnectionStates): void {
    const { waits, ...counts } = this.#counts
    const percentile = (share: number): number | null => waits.count === 0 ? null : waits.percentile(share)
    this.#seconds.add({ at: Date.now(), ...states, waits: waits.count, waitP50: percentile(0.5), waitP99: percentile(0.99), ...counts })
    this.#counts = new Counts()
  }

  /** The last minute, oldest first. */
  all (): Second[] {
    return this.#seconds.all()
  }
}
