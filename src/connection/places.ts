/** The places of a pool: each is taken by a connection in use, or on its way to one who waits. */
export class Places {
  readonly #max: number
  readonly #breaths = new Set<() => void>()
  #taken = 0

  constructor (max: number) {
    this.#max = max
  }

  /** Whether one is free. */
  get isFree (): boolean { return this.#taken < this.#max }

  /** Whether all are. */
  get areFree (): boolean { return this.#taken === 0 }

  take (): void { this.#taken++ }

  /** A place was given back, and is free. */
  free (): void {
    this.#taken--
    this.passOn()
  }

  /** A place was given back, and has its next user already. */
  passOn (): void {
    for (const breathe of this.#breaths) breathe()
  }

  /** True as soon as a place is free or was passed on, false when none was within the limit. */
  breathes (timeoutMillis: number): Promise<boolean> {
    return this.isFree ? Promise.resolve(true) : this.#breath(timeoutMillis)
  }

  /** Resolves when none is taken any more, or the time is over. */
  async idle (timeoutMillis: number): Promise<void> {
    const deadline = performance.now() + timeoutMillis
    while (this.#taken > 0 && performance.now() < deadline) await this.#breath(deadline - performance.now())
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
