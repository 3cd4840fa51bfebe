import { ignore } from '../runtime/promises.js'
import { List, type Entry } from '../runtime/linked-list.js'
import { timedOut, type AcquireRequest } from './acquire-queue.js'
import type { Cancel } from './connection-source.js'

/** The most refusals in one turn of the event loop. */
const eachTurn = 4

/** A refusal that is due. */
interface Refusal {
  readonly request: AcquireRequest
  /** Undefined when the request was refused, or cancelled. */
  entry: Entry<Refusal> | undefined
}

/**
 * Refuses the requests that must not wait, a few in each turn of the event loop.
 *
 * A refused request costs about 0.1 ms of processor time, with its reply and the request that its client sends next. Two hundred
 * clients that repeat theirs at once would make each turn 20 ms long, and each step of those that have a connection would wait for
 * that long: PostgreSQL has answered, and nobody reads it. So only the first few of a turn are refused in it, and the others in the
 * turns that follow. Clients that wait for a refusal before they send the next request are slowed down, and no others.
 */
export class Refusals {
  readonly #due = new List<Refusal>()
  #left = eachTurn
  #turn: NodeJS.Immediate | undefined

  /** Refuses a request, at once or in one of the next turns; until then it can be cancelled. */
  add (request: AcquireRequest): Cancel {
    this.#turn ??= setImmediate(this.#next)
    if (this.#left === 0) return this.#postpone(request)
    this.#left--
    request.refuse(timedOut())
    return ignore
  }

  #postpone (request: AcquireRequest): Cancel {
    const refusal: Refusal = { request, entry: undefined }
    refusal.entry = this.#due.add(refusal)
    return (error) => this.#refuse(refusal, error)
  }

  #refuse (refusal: Refusal, error: Error): void {
    const { entry, request } = refusal
    if (entry === undefined) return
    refusal.entry = undefined
    this.#due.delete(entry)
    request.refuse(error)
  }

  readonly #next = (): void => {
    this.#turn = undefined
    this.#left = eachTurn
    for (let { first } = this.#due; first !== undefined && this.#left > 0; { first } = this.#due) {
      this.#left--
      this.#refuse(first, timedOut())
    }
    if (this.#left < eachTurn) this.#turn ??= setImmediate(this.#next)
  }
}
