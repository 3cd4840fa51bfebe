import { messageCaller } from '../channels/messages.js'
import type { StatementMessage, TransactionMessage } from '../channels/messages.js'
import type { OpenWork } from '../activity/transaction-log.js'

type WorkMessage = StatementMessage | TransactionMessage

/** A request that uses the database. */
interface Usage {
  /** When it did so first, on the clock of `performance.now()`. */
  readonly since: number
  isReported: boolean
}

/**
 * Notices requests that still work with the database a certain time after they have used it first: while they wait, if possible, because only then PostgreSQL
 * says for whom. A session outside a request may take as long as it likes.
 */
export class SlowRequests {
  readonly #limitMillis: number
  readonly #usages = new WeakMap<object, Usage>()

  /** `limitMillis`: 0 for none. */
  constructor (limitMillis: number) {
    this.#limitMillis = limitMillis
  }

  /** The request of a message uses the database. */
  begin ({ [messageCaller]: { request } }: WorkMessage): void {
    if (request !== undefined && !this.#usages.has(request)) this.#usages.set(request, { since: performance.now(), isReported: false })
  }

  /** Whether the request of a message is slow, which is said once. */
  isSlow ({ [messageCaller]: { request } }: WorkMessage): boolean {
    const usage = request && this.#usages.get(request)
    if (usage === undefined || usage.isReported || this.#limitMillis === 0 || performance.now() - usage.since < this.#limitMillis) return false
    usage.isReported = true
    return true
  }

  /** Those of the open transactions and statements whose request is slow, one for each request. */
  among (open: Iterable<OpenWork>): OpenWork[] {
    return [...open].filter(({ message }) => this.isSlow(message))
  }
}
