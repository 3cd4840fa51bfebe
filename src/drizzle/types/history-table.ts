/** The type of a history table in either version of Drizzle. */
import type { bigint, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import type { TimeColumn } from './column-builders.js'

/** What `text()` returns: in 0.45 the first of three overloads, in 1.0 the first two of four. */
type Text = typeof text extends { (): infer First, (...name: never): unknown, (...config: never): unknown } ? First : never

/** What `jsonb()` returns; in 0.45 it is the first of two overloads. */
type Json = typeof jsonb extends { (): infer First, (name: never): infer Last } ? unknown extends First ? Last : First : never

/** A builder after `notNull()`. */
type NotNull<Builder> = Builder & { readonly _: { notNull: true } }

/** A builder after `$type()`. */
type Typed<Builder, Type> = Builder & { readonly _: { $type: Type } }

/** A builder after `primaryKey()` and `generatedAlwaysAsIdentity()`. */
type Identity<Builder> = Builder & { readonly _: { isPrimaryKey: true, notNull: true, hasDefault: true, identity: 'always' } }

/** What a statement did to a row. `truncate` is one entry for each row that TRUNCATE deleted. */
export type HistoryOperation = 'insert' | 'update' | 'delete' | 'truncate'

/** PostgreSQL's texts of values, by the names of their columns in the database. */
export type HistoryTexts = Record<string, string | null>

/** A type, because Drizzle requires an index signature, which an interface lacks. */
type HistoryColumns = {
  /** Grows with each entry of a row. */
  id: Identity<ReturnType<typeof bigint<'number'>>>
  /** The time of the change, by the clock of the database. */
  at: NotNull<TimeColumn>
  operation: NotNull<Typed<Text, HistoryOperation>>
  /** The primary key of the row. */
  key: NotNull<Typed<Json, Record<string, string>>>
  /** The names of the columns that an update changed, masked ones included. */
  changed: NotNull<Typed<Json, string[]>>
  /** The row before it was deleted, or the changed columns before an update. */
  before: Typed<Json, HistoryTexts>
  /** The row after it was inserted, or the changed columns after an update. */
  after: Typed<Json, HistoryTexts>
  actor: Text
  requestId: Text
  reason: Text
  /** The role that the statement ran as. */
  databaseUser: NotNull<Text>
  /** The transaction of PostgreSQL, which entries written together share. */
  transactionId: NotNull<Text>
  /** The text of the tenant's column, if the audit names one. */
  tenant: Text
}

/** The table of Drizzle that holds the history of another table. */
export type HistoryTable = ReturnType<typeof pgTable<string, HistoryColumns>>
