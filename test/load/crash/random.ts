/** Pseudorandom numbers, the same for the same seed. */
export interface Random {
  /** A number from 0 up to, but not including, 1. */
  next (): number
  /** A whole number from 0 up to, but not including, `end`. */
  below (end: number): number
  pick<Item> (items: readonly [Item, ...Item[]]): Item
}

/** Mulberry32, by Tommy Ettinger: small, and uniform enough to choose moments. */
export function seeded (seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (end: number): number => Math.floor(next() * end)
  return { next, below, pick: (items) => items[below(items.length)] ?? items[0] }
}
