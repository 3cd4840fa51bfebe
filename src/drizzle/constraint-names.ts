import { getTableConfig } from 'drizzle-orm/pg-core'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import { casedName } from './casing.js'
import { isDrizzle1 } from './version.js'
import type { Casing } from './casing.js'

/** PostgreSQL cuts longer names. https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS */
const longestBytes = 63

/**
 * The names of the primary keys, the unique constraints and indexes, the foreign keys and the checks of tables, as the installed version of drizzle-kit
 * creates them. A database that another version created has other names, where the tables give none.
 */
export function constraintNames (tables: readonly PgTable[], casing: Casing | undefined): ReadonlySet<string> {
  return new Set(tables.flatMap((table) => namesOf(table, casing)).map(cut))
}

function namesOf (table: PgTable, casing: Casing | undefined): string[] {
  const { name, columns, primaryKeys, uniqueConstraints, foreignKeys, checks, indexes } = getTableConfig(table)
  const ofKeys = isDrizzle1
    ? [
        ...primaryKeys.map((key) => key.name ?? `${name}_pkey`),
        ...foreignKeys.map((key) => key.reference()).map((key) => key.name ?? [name, ...namesIn(key.columns), getTableConfig(key.foreignTable).name, ...namesIn(key.foreignColumns), 'fkey'].join('_'))
      ]
    : [
        ...primaryKeys.map((key) => recased(key.getName(), key.columns, casing)),
        ...foreignKeys.map((key) => ({ key, ...key.reference() })).map(({ key, columns, foreignColumns }) => recased(key.getName(), [...columns, ...foreignColumns], casing))
      ]
  return [
    ...columns.filter(({ primary }) => primary).map(() => `${name}_pkey`),
    // Drizzle 1.0 leaves the name to PostgreSQL. 0.45 always has one.
    ...columns.filter(({ isUnique }) => isUnique).map((column) => column.uniqueName ?? `${name}_${column.name}_key`),
    ...uniqueConstraints.map((constraint) => String(constraint.getName())),
    ...ofKeys,
    ...checks.map((check) => check.name),
    ...indexes.filter(({ config }) => config.unique).map(({ config }) => config.name ?? [name, ...config.columns.map((part) => casedName(part as PgColumn, casing)), 'index'].join('_'))
  ]
}

function namesIn (columns: readonly PgColumn[]): string[] {
  return columns.map(({ name }) => name)
}

/** drizzle-kit 0.31 writes the names of columns in `casing` where they stand in that of a key, also if the program gave it, and leaves those of unique constraints. */
function recased (name: string, columns: readonly PgColumn[], casing: Casing | undefined): string {
  return columns.reduce((text, column) => text.replace(column.name, casedName(column, casing)), name)
}

/** The decoder leaves out a character that is cut in two, like PostgreSQL. */
function cut (name: string): string {
  return new TextDecoder().decode(Buffer.from(name).subarray(0, longestBytes), { stream: true })
}
