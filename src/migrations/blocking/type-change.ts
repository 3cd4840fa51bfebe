interface ParsedType {
  readonly name: string
  /** The numbers in parentheses. */
  readonly sizes: readonly number[]
  readonly array: string
}

/**
 * Whether every value of a type is stored as the same value of another, so that PostgreSQL only changes its catalogue: see `Notes` of ALTER TABLE in its
 * documentation, and the support functions of casts (`varchar_support` and so on) in its source. `test/src/migrations/blocking/postgres.test.ts` asks it.
 */
export function keepsStorage (from: string, to: string): boolean {
  if (from === to) return true
  const [before, after] = [parse(from), parse(to)]
  if (before.array !== after.array) return false
  const [size = Infinity, scale] = before.sizes
  const [newSize = Infinity, newScale] = after.sizes
  if (before.array !== '') return before.name === after.name && texts.includes(before.name) && newSize === Infinity
  if (after.name === 'text') return texts.includes(before.name)
  if (after.name === 'varchar') return texts.includes(before.name) && newSize >= size
  if (before.name !== after.name) return before.name === 'cidr' && after.name === 'inet'
  if (before.name === 'numeric') return newSize === Infinity || (newScale === scale && newSize >= size)
  return growing.includes(before.name) && newSize >= size
}

const texts = ['text', 'varchar']
/** Types whose number in parentheses may grow. */
const growing = ['varbit', 'timestamp', 'timestamptz', 'time', 'timetz', 'interval']

function parse (type: string): ParsedType {
  const [, name = type, sizes = '', array = ''] = /^([^([]*)(?:\(([\d,]*)\))?((?:\[\d*\])*)$/.exec(type) ?? []
  return { name, sizes: sizes === '' ? [] : sizes.split(',').map(Number), array: array.replace(/\d/g, '') }
}
