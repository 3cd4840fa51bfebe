/** The tables of a schema and their relations, by either version of Drizzle. */
import type { SQL } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'

/** A table and its relations. */
export interface RelationalTable {
  readonly table: PgTable
  readonly primaryKey: readonly PgColumn[]
  /** The relation of a name; undefined if there is none. */
  relation (name: string): TableRelation | undefined
  /** A condition as a program writes it, for rows under an alias. @throws RelationalMisuse if Drizzle does not accept it */
  condition (asked: unknown, row: AliasedRow): unknown
  /** An order as a program writes it, for rows under an alias. @throws RelationalMisuse if Drizzle does not accept it */
  order (asked: unknown, row: AliasedRow): unknown
}

/** Rows of a table under an alias. */
export interface AliasedRow {
  readonly alias: string
  /** The columns under the alias. */
  readonly fields: Readonly<Record<string, PgColumn>>
}

/** Two columns with the same value. */
export type ColumnPair = readonly [from: PgColumn, to: PgColumn]

/** A relation of a table. Its columns are looked up only when a statement is built. */
export interface TableRelation {
  /** Whether it is a list of rows rather than one row or none. */
  readonly isMany: boolean
  readonly target: RelationalTable
  /** Columns of the row, and those of the related row, or of the junction table. */
  readonly pairs: readonly ColumnPair[]
  /** The table between the two, and its columns with those of the related row. */
  readonly junction?: { readonly table: PgTable, readonly pairs: readonly ColumnPair[] } | undefined
  readonly condition?: RelationCondition | undefined
}

/** The condition that belongs to a relation. */
export interface RelationCondition {
  /** Whether it applies to the related row, or to the row that has the relation. */
  readonly of: 'related' | 'own'
  /** Writes it for a table under an alias, or under its own name. */
  readonly sql: (table: PgTable, alias: string | undefined) => SQL | undefined
}

/** The tables of a database. */
export interface RelationalSchema {
  readonly tables: readonly PgTable[]
  /** Undefined for a table that is not in the schema. */
  find (table: PgTable): RelationalTable | undefined
}
