import { is } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { PgColumn, getTableConfig } from 'drizzle-orm/pg-core'
import type { PgTable } from 'drizzle-orm/pg-core'
import { columnsOf } from './table.js'

/** Columns of which no two rows have the same values. */
export interface UniqueKey {
  /** TypeScript names, in no order. */
  readonly columns: readonly string[]
  /** The rows that the key holds; undefined for all of them. */
  readonly where: SQL | undefined
  /** Whether two rows with NULL are the same. */
  readonly nullsNotDistinct: boolean
}

const known = new WeakMap<PgTable, readonly UniqueKey[]>()

/** The primary key, the unique constraints and the unique indexes that a table declares, those of all rows first. Indexes of expressions are left out. */
export function uniqueKeysOf (table: PgTable): readonly UniqueKey[] {
  let keys = known.get(table)
  if (keys === undefined) known.set(table, keys = declaredKeys(table))
  return keys
}

function declaredKeys (table: PgTable): UniqueKey[] {
  const { primaryKeys, uniqueConstraints, indexes } = getTableConfig(table)
  const entries = Object.entries(columnsOf(table))
  // Before any casing a column has one name in Drizzle, and an index has columns of its own by that name.
  const keysOf = (parts: readonly unknown[]): string[] => parts.map((part) => entries.find(([, { name }]) => name === columnNameOf(part))?.[0]).filter((key) => key !== undefined)
  const single = entries.flatMap(([key, { primary, isUnique, uniqueType }]) => primary || isUnique
    ? [{ columns: [key], where: undefined, nullsNotDistinct: uniqueType === 'not distinct' }]
    : [])
  const constraints = [...primaryKeys.map(({ columns }) => ({ columns, nullsNotDistinct: false })), ...uniqueConstraints]
    .map(({ columns, nullsNotDistinct }) => ({ columns: keysOf(columns), where: undefined, nullsNotDistinct }))
  const indexed = indexes.filter(({ config: { unique } }) => unique)
    .map(({ config: { columns, where } }) => ({ parts: columns.length, columns: keysOf(columns), where, nullsNotDistinct: false }))
    .filter(({ parts, columns }) => columns.length === parts)
  return [...single, ...constraints, ...indexed].sort((one, other) => Number(one.where !== undefined) - Number(other.where !== undefined))
}

/** Of a column, or of its copy in an index; an expression has none. */
function columnNameOf (part: unknown): string | undefined {
  if (is(part, PgColumn)) return part.name
  return typeof part === 'object' && part !== null && 'name' in part ? String(part.name) : undefined
}
