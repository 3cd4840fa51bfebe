import { inspect } from 'node:util'

/** A Date for PostgreSQL's `infinity` or `-infinity`. It keeps its value when compared, written as JSON or stored. */
class InfiniteDate extends Date {
  readonly #millis: number
  readonly #text: string

  constructor (millis: number, text: string) {
    super(NaN)
    this.#millis = millis
    this.#text = text
  }

  override getTime (): number { return this.#millis }

  override valueOf (): number { return this.#millis }

  override toISOString (): string { return this.#text }

  override toJSON (): string { return this.#text }

  override toString (): string { return this.#text }

  [inspect.custom] (): string { return this.#text }
}

/**
 * The Date for PostgreSQL's `infinity`, for reading and writing: later than every other. Its time is `Infinity`, its JSON is
 * `"infinity"`. There is only this one, so `===` recognizes it.
 *
 * @example
 * ```ts
 * await repo.create({ name: 'member', until: infinity })
 * const forLife = (await repo.filter({ until: { gt: new Date() } })).filter(({ until }) => until === infinity)
 * ```
 */
export const infinity: Date = new InfiniteDate(Infinity, 'infinity')

/** The Date for PostgreSQL's `-infinity`, earlier than every other; otherwise like {@link infinity}. */
export const minusInfinity: Date = new InfiniteDate(-Infinity, '-infinity')
