import type { AcquireMessage, StatementMessage, TransactionMessage, TransactionOutcome } from '../../src/channels/messages.js'

/** One text among the statements of a request. */
interface Shape { readonly statement: string, count: number, durationMillis: number }

/** What one request did to the databases so far. */
export class RequestUsage {
  statements = 0
  /** Rows that were returned or changed. */
  rows = 0
  /** The time of the statements, from sending to response. Those that run at the same time count each. */
  databaseMillis = 0
  /** The time of the waits for a connection. */
  waitMillis = 0
  /** How the last transaction ended; undefined as long as none has. */
  outcome: TransactionOutcome | undefined
  readonly #shapes = new Map<string, Shape>()

  addStatement ({ text, rows = 0, durationMillis = 0 }: StatementMessage): void {
    this.statements++
    this.rows += rows
    this.databaseMillis += durationMillis
    const shape = this.#shapes.get(text) ?? { statement: text, count: 0, durationMillis: 0 }
    shape.count++
    shape.durationMillis += durationMillis
    if (shape.count > 1 || this.#shapes.size < mostShapes) this.#shapes.set(text, shape)
  }

  addWait ({ waitMillis = 0 }: AcquireMessage): void {
    this.waitMillis += waitMillis
  }

  addTransaction ({ outcome }: TransactionMessage): void {
    this.outcome = outcome
  }

  /** The text that took most of the time. */
  get slowest (): Shape | undefined {
    const [slowest] = [...this.#shapes.values()].sort((one, other) => other.durationMillis - one.durationMillis)
    return slowest && { ...slowest, durationMillis: rounded(slowest.durationMillis) }
  }
}

/** A request that builds a new text for each statement must not fill the memory. */
const mostShapes = 100

/** A time in milliseconds, as the log and the header show it. */
export function rounded (millis: number): number {
  return Math.round(millis * 1000) / 1000
}
