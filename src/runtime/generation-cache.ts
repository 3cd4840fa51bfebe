/**
 * A bounded cache of the latest values by key; reading a recent entry costs only the look-up.
 *
 * It has two generations: when the young one is full it becomes the old one, and an entry that is read again moves back to the
 * young one. It holds at most twice `size` entries, and always the `size` used last.
 */
export class GenerationCache<Value> {
  readonly size: number
  #young = new Map<string, Value>()
  #old = new Map<string, Value>()

  constructor (size: number) {
    this.size = size
  }

  get (key: string): Value | undefined {
    const value = this.#young.get(key)
    if (value !== undefined) return value
    const older = this.#old.get(key)
    if (older !== undefined) this.set(key, older)
    return older
  }

  set (key: string, value: Value): void {
    this.#young.set(key, value)
    if (this.#young.size < this.size) return
    this.#old = this.#young
    this.#young = new Map()
  }
}
