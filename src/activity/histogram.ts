/** The upper end of the first bucket, in milliseconds. */
const leastMillis = 0.01

/** Each bucket ends at so many times the end of the one before: a percentile is at most 10 % too high. */
const growth = 1.1

/** The last bucket begins after more than an hour. */
const size = 210

/** Counts times by their length, in bounded memory, and gives their percentiles. */
export class Histogram {
  readonly #buckets = new Uint32Array(size)
  #count = 0
  #longest = 0

  get count (): number { return this.#count }

  get longest (): number { return this.#longest }

  add (millis: number): void {
    const bucket = Math.ceil(Math.log(millis / leastMillis) / Math.log(growth))
    this.#buckets[Math.min(Math.max(bucket, 0), size - 1)]!++
    this.#count++
    this.#longest = Math.max(this.#longest, millis)
  }

  addAll (other: Histogram): void {
    for (const [bucket, count] of other.#buckets.entries()) this.#buckets[bucket]! += count
    this.#count += other.#count
    this.#longest = Math.max(this.#longest, other.#longest)
  }

  /** The time that this share of all times does not exceed; 0 if there are none. */
  percentile (share: number): number {
    let left = Math.ceil(this.#count * share)
    const bucket = this.#buckets.findIndex((count) => (left -= count) <= 0)
    return Math.min(leastMillis * growth ** bucket, this.#longest)
  }
}
