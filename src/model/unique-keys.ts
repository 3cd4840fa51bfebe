import { is } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { PgColumn, getTableConfig } from 'drizzle-orm/pg-core'
import type { PgTable } from 'drizzle-orm/pg-core'
import { columnsOf } from './table.js'

/** Columns whose values are unique. */
export interface UniqueKey {
  /** TypeScript names, in no order. */
  readonly columns: readonly string[]
  /** The condition of a partial index; undefined for a key over all rows. */
  readonly where: SQL | undefined
  /** Whether NULLs are equal. */
  readonly nullsNotDistinct: boolean
}

const known = new WeakMap<PgTable, readonly UniqueKey[]>()

/** The primary key, the unique constraints and the unique indexes of a table, those over all rows first. Indexes on expressions are left out. */
export function uniqueKeysOf (table: PgTable): readonly UniqueKey[] {
  let keys = known.get(table)
  if (keys === undefined) known.set(table, keys = declaredKeys(table))
  return keys
}

function declaredKeys (table: PgTable): UniqueKey[] {
  const { primaryKeys, uniqueConstraints, indexes } = getTableConfig(table)
  const entries = Object.entries(columnsOf(table))
  // Before casing, a column has one name in Drizzle; an index has copies of the columns with that name.
  const keyOf = (part: unknown): string | undefined => entries.find(([, { name }]) => name === columnNameOf(part))?.[0]
  const keysOf = (parts: readonly unknown[]): string[] => parts.map(keyOf).filter((key) => key !== undefined)
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

/** The name of a column, or of its copy in an index; undefined for an expression. */
function columnNameOf (part: unknown): string | undefined {
  if (is(part, PgColumn)) return part.name
  return typeof part === 'object' && part !== null && 'name' in part ? String(part.name) : undefined
}
