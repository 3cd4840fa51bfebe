/** The slots of a pool: each is taken by a connection in use, or on its way to a waiter. */
export class Slots {
  /** How many slots there are. */
  limit: number
  readonly #breaths = new Set<() => void>()
  #taken = 0
  #takenAt = 0

  constructor (max: number) {
    this.limit = max
  }

  /** How many are taken. */
  get taken (): number { return this.#taken }

  /** Whether a slot is free. */
  get isFree (): boolean { return this.#taken < this.limit }

  /** For how long none was taken, in milliseconds. As long as none is free, none was freed in this time. */
  get silentMillis (): number { return performance.now() - this.#takenAt }

  take (): void {
    this.#taken++
    this.#takenAt = performance.now()
  }

  /** Whether more are taken than there are, since their number was reduced. */
  get areTooMany (): boolean { return this.#taken > this.limit }

  /** Frees a slot, which is taken again at once. */
  passOn (): void {
    this.#takenAt = performance.now()
    this.breathe()
  }

  /** Frees a slot. */
  free (): void {
    this.#taken--
    this.breathe()
  }

  /** Wakes those that wait for a change. */
  breathe (): void {
    for (const breathe of this.#breaths) breathe()
  }

  /** `true` as soon as a slot is free or was passed on; `false` if that did not happen in time. */
  breathes (timeoutMillis: number): Promise<boolean> {
    return this.isFree ? Promise.resolve(true) : this.#breath(timeoutMillis)
  }

  /** Resolves when a condition holds, which is checked on each change, or the time is over. */
  async until (condition: () => boolean, timeoutMillis: number): Promise<void> {
    const deadline = performance.now() + timeoutMillis
    while (!condition() && performance.now() < deadline) await this.#breath(deadline - performance.now())
  }

  #breath (timeoutMillis: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (breathed: boolean): void => {
        clearTimeout(timer)
        this.#breaths.delete(breathe)
        resolve(breathed)
      }
      const breathe = (): void => end(true)
      const timer = setTimeout(() => end(false), timeoutMillis)
      this.#breaths.add(breathe)
    })
  }
}
