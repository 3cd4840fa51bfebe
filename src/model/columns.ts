import { integer, timestamp } from 'drizzle-orm/pg-core'
import { flag, text, textOrFalse, wholeNumberOrNull } from '../runtime/option-checks.js'
import { checkCall } from '../errors/check-call.js'
import { clockTimestamp, now } from '../drizzle/constant-sql.js'
import { marked } from '../drizzle/column-mark.js'
import type { FilledIntegerColumn, FilledTimeColumn, MarkedColumn, TimeColumn } from '../drizzle/types/column-builders.js'

/** The digits of a second after the point; `null` for a column that is declared without a precision, which keeps microseconds. */
export type TimePrecision = 0 | 1 | 2 | 3 | 4 | 5 | 6 | null

/** The options of {@link timestamps}. */
export interface TimestampOptions {
  /**
   * The name of the column in the database, or `false` for a table without it.
   * @defaultValue the key, as the `casing` of the database writes it
   */
  readonly createdAt?: string | false
  /** The same for the time of the last change. */
  readonly updatedAt?: string | false
  /** @defaultValue `3`, the precision of a JavaScript `Date` */
  readonly precision?: TimePrecision
}

/** The columns of {@link timestamps} with these options. */
export type TimestampColumns<Options extends TimestampOptions> = {
  [Key in 'createdAt' | 'updatedAt' as Options extends Readonly<Record<Key, false>> ? never : Key]: FilledTimeColumn
}

const digits = wholeNumberOrNull(0, 6)

function time (name: string | undefined, precision: TimePrecision = 3) {
  const config = { withTimezone: true, mode: 'date', ...precision !== null && { precision } } as const
  return name === undefined ? timestamp(config) : timestamp(name, config) as ReturnType<typeof timestamp<'date'>> // in 0.45 the name is in the type
}

/**
 * The columns `createdAt` and `updatedAt`: `timestamptz(3)`, by the clock of the database.
 *
 * On insert, both are the time of the transaction, so rows created together share it and a row that was never updated has two
 * equal times. An update sets `updatedAt` to the time of the statement (`clock_timestamp()`): the time of the transaction would
 * not change between two updates in one transaction, and would go back if a transaction that began earlier updates the row later.
 *
 * The columns are named after their keys, by the `casing` of the database: `createdAt`, or `created_at` with `'snake_case'`. For a
 * table that exists, give their names and their precision, or `false` for a column that it lacks; a column that you declare
 * yourself takes {@link asUpdatedAt}.
 *
 * @throws {@link UsageError} for an unknown option or an invalid value
 * @example
 * ```ts
 * const posts = pgTable('posts', {
 *   id: integer().primaryKey().generatedAlwaysAsIdentity(),
 *   title: text().notNull(),
 *   ...timestamps()
 * })
 * const invoices = pgTable('INVOICES', { id: integer('ID').primaryKey(), ...timestamps({ createdAt: 'CREATED', updatedAt: false, precision: 6 }) })
 * ```
 */
export function timestamps<const Options extends TimestampOptions = TimestampOptions> (options: Options = {} as Options): TimestampColumns<Options> {
  checkCall('timestamps()', options, { createdAt: textOrFalse, updatedAt: textOrFalse, precision: digits })
  const { createdAt, updatedAt, precision } = options as TimestampOptions
  return {
    ...createdAt !== false && { createdAt: time(createdAt, precision).notNull().default(now) },
    ...updatedAt !== false && { updatedAt: time(updatedAt, precision).notNull().default(now).$onUpdate(() => clockTimestamp) }
  } as TimestampColumns<Options> // the keys were chosen one by one
}

/** The options of {@link softDelete}. */
export interface SoftDeleteOptions {
  /**
   * The name of the column in the database.
   * @defaultValue `deletedAt`, as the `casing` of the database writes it
   */
  readonly name?: string
  /** @defaultValue `3`, the precision of a JavaScript `Date` */
  readonly precision?: TimePrecision
  /**
   * Hides deleted rows from the repository, except with `withDeleted()` and `onlyDeleted()`.
   * @defaultValue `true`
   */
  readonly filter?: boolean
}

/**
 * The column `deletedAt`, null until the row is deleted: `timestamptz(3)`, named like {@link timestamps}. A column that you declare
 * yourself takes {@link asDeletedAt}.
 *
 * @throws {@link UsageError} for an unknown option or an invalid value
 * @example
 * ```ts
 * const users = pgTable('users', { id: integer().primaryKey(), name: text().notNull(), ...softDelete() })
 * ```
 */
export function softDelete (options: SoftDeleteOptions = {}): { deletedAt: MarkedColumn<TimeColumn, { softDelete: true }> } {
  checkCall('softDelete()', options, { name: text, precision: digits, filter: flag })
  const { name, precision, filter = true } = options
  return { deletedAt: marked(time(name, precision), { softDelete: { filter } }) as MarkedColumn<TimeColumn, { softDelete: true }> } // as Drizzle's notNull() marks a type
}

/** The options of {@link version}. */
export interface VersionOptions {
  /**
   * The name of the column in the database.
   * @defaultValue `version`
   */
  readonly name?: string
}

/**
 * The column `version`, an integer that starts at 1 and grows with each update: concurrent edits of a row are detected. A column
 * that you declare yourself takes {@link asVersion}.
 *
 * @throws {@link UsageError} for an unknown option or an invalid value
 * @example
 * ```ts
 * const documents = pgTable('documents', { id: integer().primaryKey(), body: text().notNull(), ...version() })
 * ```
 */
export function version (options: VersionOptions = {}): { version: MarkedColumn<FilledIntegerColumn, { version: true }> } {
  checkCall('version()', options, { name: text })
  const { name } = options
  const column = name === undefined ? integer() : integer(name)
  return { version: marked(column.notNull().default(1), { version: true }) as MarkedColumn<FilledIntegerColumn, { version: true }> } // as above
}
