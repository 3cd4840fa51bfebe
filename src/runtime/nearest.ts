/** How much of the longer of two names may differ before they count as unrelated. */
const likeness = 0.4

/** The name that resembles another one most; undefined if none does. */
export function nearest (name: string, names: Iterable<string>): string | undefined {
  let [found, least]: [string | undefined, number] = [undefined, Infinity]
  for (const other of names) {
    const changes = distance(name, other)
    if (changes < least && changes <= likeness * Math.max(name.length, other.length)) [found, least] = [other, changes]
  }
  return found
}

/** The least number of characters to insert, delete or replace between two texts. https://en.wikipedia.org/wiki/Levenshtein_distance */
function distance (one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, count) => count)
  for (let line = 0; line < one.length; line++) {
    const next = [line + 1]
    for (let place = 0; place < other.length; place++) {
      const replaced = row[place]! + Number(one[line] !== other[place])
      next.push(Math.min(replaced, row[place + 1]! + 1, next[place]! + 1))
    }
    row = next
  }
  return row[other.length]!
}
