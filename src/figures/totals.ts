import type { Attributes } from './attributes.js'

/** The value of a figure for one set of attributes. */
export interface Observation {
  readonly attributes: Attributes
  readonly value: number
}

/** One sum for each set of attributes. */
export class Totals {
  readonly #sums = new Map<string, Observation>()

  /** Adds to the sum of these attributes, which begins with 0. */
  add (attributes: Attributes, value: number): void {
    const key = JSON.stringify(attributes)
    this.#sums.set(key, { attributes, value: (this.#sums.get(key)?.value ?? 0) + value })
  }

  /** Every sum. */
  observe (): Observation[] { return [...this.#sums.values()] }
}
