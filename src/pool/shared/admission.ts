import { GenerationCache } from '../../runtime/generation-cache.js'
import type { Statement } from '../../statement/statement.js'

/** How long PostgreSQL works on one read before no others are sent behind it, and before its shape counts as slow, in milliseconds. */
export const patienceMillis = { late: 5, slow: 10 }

/** How many quick answers admit a shape: at first, and at most. */
const answersNeeded = { first: 20, most: 1280 }

/** How many quick answers one late answer, or one that is far too late, outweighs: on a busy server every statement is slow now and then. */
const against = { late: 2, slow: 100 }

/** After so many quick answers over shared connections half as many are needed the next time. */
const forgivenAfter = 1000

/** A statement with more values is not worth the check of what PostgreSQL allows. */
const mostValues = 100

/** The most shapes that are remembered at least. */
const rememberedShapes = 1000

/**
 * The reads of one row, by the names of their methods: `get`, `getOrThrow`, `getBy` and `exists`. Answers with many rows would hold up
 * those behind them, however quick PostgreSQL is: the rows have to travel, and this process has to read them.
 */
const lookups: ReadonlySet<string> = new Set(['get', 'getBy', 'exists'])

/** What was seen of the statements with one text. */
export class Shape {
  #quick = 0
  #needed = answersNeeded.first
  #isAdmitted = false

  /** Whether it may travel over shared connections. */
  get isAdmitted (): boolean { return this.#isAdmitted }

  /** A statement was answered soon. */
  quick (): void {
    this.#quick++
    if (this.#isAdmitted ? this.#quick < forgivenAfter : this.#quick < this.#needed) return
    if (this.#isAdmitted) this.#needed = Math.max(answersNeeded.first, this.#needed / 2)
    this.#isAdmitted = true
    this.#quick = 0
  }

  /** A statement has no answer yet after so long, over a connection of its own. */
  overdue (millis: number): void {
    if (millis > patienceMillis.slow) this.slow()
    else this.#count(against.late)
  }

  /** A statement is far from quick: an admitted shape is so no more, and each time it takes longer to be so again. */
  slow (): void {
    if (!this.#isAdmitted) return this.#count(against.slow)
    this.#needed = Math.min(answersNeeded.most, this.#needed * 2)
    this.#isAdmitted = false
    this.#quick = 0
  }

  #count (against: number): void {
    if (!this.#isAdmitted) this.#quick = Math.max(0, this.#quick - against)
  }
}

/** Knows which statements are quick, as measured. */
export class Admission {
  readonly #shapes = new GenerationCache<Shape>(rememberedShapes)

  /** The shape of a lookup that a repository built; undefined for any other statement. */
  of ({ kind, name, text, values, context: { operation } }: Statement): Shape | undefined {
    if (kind !== 'read' || name === undefined || values.length > mostValues || !lookups.has(operation)) return undefined
    let shape = this.#shapes.get(text)
    if (shape === undefined) this.#shapes.set(text, shape = new Shape())
    return shape
  }

  /** The shape of a text, if it is that of a lookup that was seen. */
  known (text: string): Shape | undefined { return this.#shapes.get(text) }
}
