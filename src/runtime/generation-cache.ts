/**
 * Remembers the latest values by their key, within a bound, and costs a used entry nothing but its look-up.
 *
 * Two generations: when the young one is full it becomes the old one, and what is asked for again moves back to the young.
 * At most twice `size` entries are held, and the `size` used last are always among them.
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
