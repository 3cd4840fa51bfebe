import { tablePairs } from './snapshots/snapshot-parts.js'
import { orderRenames, applyRename } from './snapshots/rename.js'
import type { Column, Snapshot } from './snapshots/snapshot.js'
import type { Diff } from './snapshots/diff.js'
import { catalogueType } from './snapshots/names.js'

/** Something that a change deletes. */
export interface Loss {
  /** The text of an `irreversible` directive. */
  readonly text: string
  /** A sentence for the comment of a way back that deletes what its migration added. */
  readonly comment: string
}

/** Everything that a change deletes, described for a person. */
export interface DataLoss {
  /** Deleted rows and values. The way back restores the table or column, but not its contents. */
  readonly lost: readonly Loss[]
  /** Columns whose values are converted to a type that cannot hold all of them. */
  readonly converted: readonly string[]
}

/** Finds what a change deletes from a database. */
export function findDataLoss ({ before, after, renames }: Diff): DataLoss {
  const start = orderRenames(renames).reduce(applyRename, before)
  const pairs = tablePairs(start, after)
  return {
    lost: [
      ...gone(start.tables, after.tables).map((key) => dropped(`the rows of ${plainName(key)}`)),
      ...pairs.flatMap(([key, a, b]) => gone(a.columns, b.columns).filter((name) => a.columns[name]!.generated === undefined).map((name) => dropped(`the values of ${plainName(key)}.${name}`))),
      ...pairs.flatMap(([key, a, b]) => Object.values(a.columns).flatMap(({ name, generated }) =>
        generated === undefined && b.columns[name]?.generated !== undefined ? [overwritten(`the values of ${plainName(key)}.${name}`)] : [])),
      ...gone(start.sequences, after.sequences).map((key) => ({
        text: `the current value of the sequence ${plainName(key)}`,
        comment: `Drops the sequence ${plainName(key)}, which the migration added.`
      }))
    ],
    converted: pairs.flatMap(([key, a, b]) => Object.values(a.columns).flatMap((column) => {
      const other = b.columns[column.name]
      if (other === undefined || other.generated !== undefined || keepsValues(start, column, other)) return []
      return [`what the values of ${plainName(key)}.${column.name} were as ${catalogueType(column)}, before they became ${catalogueType(other)}`]
    }))
  }
}

function dropped (what: string): Loss {
  return { text: what, comment: `Drops ${what}, which the migration added.` }
}

function overwritten (what: string): Loss {
  return { text: `${what}, which becomes a generated column`, comment: `Replaces ${what}, which becomes a generated column again.` }
}

function gone (group: Record<string, unknown>, others: Record<string, unknown>): string[] {
  return Object.keys(group).filter((key) => !Object.hasOwn(others, key))
}

/** Chains of types, in which each type can hold every value of the types before it. */
const widenings: ReadonlyArray<readonly string[]> = [
  ['smallint', 'integer', 'bigint', 'numeric'],
  ['smallint', 'integer', 'bigint', 'uuid'],
  ['real', 'double precision'],
  ['json', 'text'],
  ['uuid', 'text'],
  ['date', 'timestamp'],
  ['time', 'timestamp']
]

/** Whether another type keeps a column's values, so that the way back can restore them. */
function keepsValues (before: Snapshot, from: Column, to: Column): boolean {
  const [a, b] = [catalogueType(from), catalogueType(to)]
  // A single value becomes an array with one element.
  if (a === b || `${a}[]` === b) return true
  if (lengthOf(a) !== undefined && lengthOf(b) !== undefined) return lengthOf(b)! >= lengthOf(a)!
  const isEnum = before.enums[`${from.typeSchema ?? 'public'}.${a}`] !== undefined
  return (isEnum && b === 'text') || widenings.some((types) => types.includes(a) && types.indexOf(a) <= types.indexOf(b))
}

/** The number of characters that a text type holds; `undefined` for other types. `char` is left out, because it pads with spaces. */
function lengthOf (type: string): number | undefined {
  if (/^(text|varchar)$/.test(type)) return Infinity
  const [, length] = /^varchar\((\d+)\)$/.exec(type) ?? []
  return length === undefined ? undefined : Number(length)
}

/** The name without the schema `public`. */
function plainName (key: string): string {
  return key.replace(/^public\./, '')
}
