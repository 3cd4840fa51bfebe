/** The latest items, as many as fit. */
export class Ring<Item> {
  readonly #size: number
  readonly #items: Item[] = []
  #next = 0

  constructor (size: number) {
    this.#size = size
  }

  add (item: Item): void {
    this.#items[this.#next] = item
    this.#next = (this.#next + 1) % this.#size
  }

  /** All of them, oldest first. */
  all (): Item[] {
    return [...this.#items.slice(this.#next), ...this.#items.slice(0, this.#next)]
  }
}
