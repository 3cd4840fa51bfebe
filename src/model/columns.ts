import { integer, timestamp } from 'drizzle-orm/pg-core'
import type { PgTable } from 'drizzle-orm/pg-core'
import { flag } from '../runtime/option-checks.js'
import { checkCall } from '../errors/check-call.js'
import { clockTimestamp, now } from '../drizzle/constant-sql.js'
import { marked } from '../drizzle/column-mark.js'
import type { FilledIntegerColumn, FilledTimeColumn, HasMark, MarkedColumn, TimeColumn } from '../drizzle/types/column-builders.js'

/** A time to the millisecond, the precision of a JavaScript `Date`. */
function time () {
  return timestamp({ withTimezone: true, precision: 3, mode: 'date' })
}

/**
 * The columns `createdAt` and `updatedAt`: `timestamptz(3)`, by the clock of the database.
 *
 * On insert, both are the time of the transaction, so rows created together share it and a row that was never updated has two
 * equal times. An update sets `updatedAt` to the time of the statement (`clock_timestamp()`): the time of the transaction would
 * not change between two updates in one transaction, and would go back if a transaction that began earlier updates the row later.
 *
 * The columns are named after their keys, by the `casing` of the database: `createdAt`, or `created_at` with `'snake_case'`.
 *
 * @example
 * ```ts
 * const posts = pgTable('posts', {
 *   id: integer().primaryKey().generatedAlwaysAsIdentity(),
 *   title: text().notNull(),
 *   ...timestamps()
 * })
 * ```
 */
export function timestamps (): { createdAt: FilledTimeColumn, updatedAt: FilledTimeColumn } {
  return {
    createdAt: time().notNull().default(now),
    updatedAt: time().notNull().default(now).$onUpdate(() => clockTimestamp)
  }
}

/** The options of {@link softDelete}. */
export interface SoftDeleteOptions {
  /**
   * Hides deleted rows from the repository, except with `withDeleted()` and `onlyDeleted()`.
   * @defaultValue `true`
   */
  readonly filter?: boolean
}

/**
 * The column `deletedAt`, null until the row is deleted: `timestamptz(3)`, named like {@link timestamps}.
 *
 * @throws {UsageError} for an unknown option
 * @example
 * ```ts
 * const users = pgTable('users', { id: integer().primaryKey(), name: text().notNull(), ...softDelete() })
 * ```
 */
export function softDelete (options: SoftDeleteOptions = {}): { deletedAt: MarkedColumn<TimeColumn, { softDelete: true }> } {
  checkCall('softDelete()', options, { filter: flag })
  const { filter = true } = options
  return { deletedAt: marked(time(), { softDelete: { filter } }) as MarkedColumn<TimeColumn, { softDelete: true }> } // as Drizzle's notNull() marks a type
}

/**
 * The column `version`, an integer that starts at 1 and grows with each update: concurrent edits of a row are detected.
 *
 * @example
 * ```ts
 * const documents = pgTable('documents', { id: integer().primaryKey(), body: text().notNull(), ...version() })
 * ```
 */
export function version (): { version: MarkedColumn<FilledIntegerColumn, { version: true }> } {
  return { version: marked(integer().notNull().default(1), { version: true }) as MarkedColumn<FilledIntegerColumn, { version: true }> } // as above
}

type KeysMarked<T extends PgTable, Mark> = {
  [Key in keyof T['_']['columns'] & string]: HasMark<T['_']['columns'][Key], Mark> extends true ? Key : never
}[keyof T['_']['columns'] & string]

/** The key of a table's {@link softDelete} column; `never` for a table without one. */
export type SoftDeleteKey<T extends PgTable> = KeysMarked<T, { softDelete: true }>

/** The key of a table's {@link version} column; `never` for a table without one. */
export type VersionKey<T extends PgTable> = KeysMarked<T, { version: true }>
