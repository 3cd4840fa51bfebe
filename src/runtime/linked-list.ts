/** A place in a list. */
export interface Entry<Item> {
  readonly item: Item
  next: Entry<Item> | undefined
  previous: Entry<Item> | undefined
}

/**
 * A list that is left as fast as it is joined, from any place, in the order of joining.
 *
 * For what comes and goes with every statement. A Set would do, but when a Set of V8's makes room, its old table points to its
 * new one: once the first is old, the young collector keeps all that follow, and everything in them, until the next full
 * collection. An entry that leaves this list points to nobody.
 */
export class List<Item> {
  #first: Entry<Item> | undefined
  #last: Entry<Item> | undefined
  #size = 0

  get size (): number { return this.#size }

  get first (): Item | undefined { return this.#first?.item }

  add (item: Item): Entry<Item> {
    const entry: Entry<Item> = { item, next: undefined, previous: this.#last }
    if (this.#last === undefined) this.#first = entry
    else this.#last.next = entry
    this.#last = entry
    this.#size++
    return entry
  }

  /** Takes an entry out, once. */
  delete (entry: Entry<Item>): void {
    const { next, previous } = entry
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    entry.next = entry.previous = undefined
    this.#size--
  }

  /** All that are in the list now. */
  all (): Item[] {
    const items: Item[] = []
    for (let entry = this.#first; entry !== undefined; entry = entry.next) items.push(entry.item)
    return items
  }
}
