import { tablePairs } from './snapshots/differences.js'
import { inOrder, renamed } from './snapshots/rename.js'
import type { Column, Snapshot } from './snapshots/snapshot.js'
import type { Way } from './changes/diff-statements.js'
import { catalogueType } from './snapshots/names.js'

/** What cannot be had back once a way was gone, in words for a person. */
export interface Losses {
  /** Rows and values that the way takes away, so that the way back makes empty tables and columns. */
  readonly lost: readonly string[]
  /** Columns whose values the way turns into another type: what the turn took from them does not come back. */
  readonly converted: readonly string[]
}

/** What a way takes from the rows of a database. */
export function findLosses ({ before, after, renames }: Way): Losses {
  const start = inOrder(renames).reduce(renamed, before)
  const pairs = tablePairs(start, after)
  return {
    lost: [
      ...gone(start.tables, after.tables).map((key) => `the rows of ${plainName(key)}`),
      ...pairs.flatMap(([key, a, b]) => gone(a.columns, b.columns).filter((name) => a.columns[name]!.generated === undefined).map((name) => `the values of ${plainName(key)}.${name}`)),
      ...pairs.flatMap(([key, a, b]) => Object.values(a.columns).filter(({ name, generated }) => generated === undefined && b.columns[name]?.generated !== undefined).map(({ name }) => `the values of ${plainName(key)}.${name}, which is generated from now on`)),
      ...gone(start.sequences, after.sequences).map((key) => `where the sequence ${plainName(key)} stood`)
    ],
    converted: pairs.flatMap(([key, a, b]) => Object.values(a.columns).flatMap((column) => {
      const other = b.columns[column.name]
      return other === undefined || other.generated !== undefined || keepsValues(start, column, other) ? [] : [`what the values of ${plainName(key)}.${column.name} were as ${catalogueType(column)}, before they became ${catalogueType(other)}`]
    }))
  }
}

function gone (group: Record<string, unknown>, others: Record<string, unknown>): string[] {
  return Object.keys(group).filter((key) => !Object.hasOwn(others, key))
}

/** Types in which every value of the one before has its place. */
const widenings: ReadonlyArray<readonly string[]> = [
  ['smallint', 'integer', 'bigint', 'numeric'],
  ['smallint', 'integer', 'bigint', 'uuid'],
  ['real', 'double precision'],
  ['json', 'text'],
  ['uuid', 'text'],
  ['date', 'timestamp'],
  ['time', 'timestamp']
]

/** Whether a column's values live on in another type, so that the way back can turn them into what they were. */
function keepsValues (before: Snapshot, from: Column, to: Column): boolean {
  const [a, b] = [catalogueType(from), catalogueType(to)]
  // A single value becomes an array of one.
  if (a === b || `${a}[]` === b) return true
  if (lengthOf(a) !== undefined && lengthOf(b) !== undefined) return lengthOf(b)! >= lengthOf(a)!
  const isEnum = before.enums[`${from.typeSchema ?? 'public'}.${a}`] !== undefined
  return (isEnum && b === 'text') || widenings.some((types) => types.includes(a) && types.indexOf(a) <= types.indexOf(b))
}

/** How many characters fit in; `undefined` where it is no text. `char` pads with spaces, and is left out. */
function lengthOf (type: string): number | undefined {
  if (/^(text|varchar)$/.test(type)) return Infinity
  const [, length] = /^varchar\((\d+)\)$/.exec(type) ?? []
  return length === undefined ? undefined : Number(length)
}

/** Without the schema `public`, as people say it. */
function plainName (key: string): string {
  return key.replace(/^public\./, '')
}
