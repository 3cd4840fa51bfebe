/**
 * How old the rows of a replica may be. No clock of a server is read, and no server is believed about its own lag: a replica that
 * has lost its primary would seem fresh. The primary is asked from time to time how far its WAL goes. A replica that has replayed
 * as far shows everything that was committed before that question was sent, so its rows are at most as old as the question.
 */

/** How far the WAL of the primary went, at least, at a time on the clock of `performance.now()`. */
interface Sample {
  readonly at: number
  readonly position: bigint
}

export class PrimaryPositions {
  readonly #keptMillis: number
  /** Oldest first. */
  #samples: Sample[] = []

  /** `keptMillis`: a replica that is further behind counts as having no age. */
  constructor (keptMillis: number) {
    this.#keptMillis = keptMillis
  }

  /** Notes a position of the primary, and the time before it was asked. */
  note (position: bigint, at: number): void {
    this.#samples = this.#samples.filter((sample) => at - sample.at <= this.#keptMillis)
    this.#samples.push({ at, position })
  }

  /** Forgets all positions: another server is the primary, or another timeline has begun. */
  clear (): void { this.#samples = [] }

  /** The latest time before which everything committed shows on a server that has come to a position; undefined if that is too long ago. */
  freshAt (position: bigint): number | undefined {
    return this.#samples.findLast((sample) => sample.position <= position)?.at
  }
}
