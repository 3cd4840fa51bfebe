import { PgColumnBuilder } from 'drizzle-orm/pg-core'
import type { PgTable } from 'drizzle-orm/pg-core'
import { checkCall } from '../errors/check-call.js'
import { UsageError } from '../errors/errors.js'
import { clockTimestamp } from '../drizzle/constant-sql.js'
import { filledBy, marked, updatedBy } from '../drizzle/column-mark.js'
import { isEntity } from '../drizzle/entity.js'
import { flag } from '../runtime/option-checks.js'
import type { ColumnBuilder, HasMark, MarkedColumn, SetColumn } from '../drizzle/types/column-builders.js'
import type { SoftDeleteOptions } from './columns.js'

/**
 * Marks a column of your own as the time of the last change: each update of the repository, upserts too, sets it to the database's
 * clock, unless the caller gives a value. A new row gets it, too, if the column has no default.
 *
 * @throws {@link UsageError} for anything but the builder of a column, and when the table is first used, if it holds no time
 * @example
 * ```ts
 * const orders = pgTable('ORDERS', { id: integer('ID').primaryKey(), modified: asUpdatedAt(timestamp('MODIFIED', { precision: 6 })) })
 * ```
 */
export function asUpdatedAt<Builder extends ColumnBuilder> (column: Builder): SetColumn<Builder> {
  checkBuilder('asUpdatedAt', column)
  return updatedBy(marked(column, { updatedAt: true }), clockTimestamp) as SetColumn<Builder> // as Drizzle's $onUpdate() marks a type
}

/**
 * Marks a column of your own as the time at which a row was deleted, as {@link softDelete} does: a row with a value there is deleted.
 *
 * @throws {@link UsageError} for anything but the builder of a column, for an unknown option, and when the table is first used, if
 * the column holds no time or cannot be null
 * @example
 * ```ts
 * const orders = pgTable('ORDERS', { id: integer('ID').primaryKey(), removed: asDeletedAt(timestamp('REMOVED', { mode: 'string' })) })
 * ```
 */
export function asDeletedAt<Builder extends ColumnBuilder> (
  column: Builder, options: Pick<SoftDeleteOptions, 'filter'> = {}
): MarkedColumn<Builder, { softDelete: true }> {
  checkBuilder('asDeletedAt', column)
  checkCall('asDeletedAt()', options, { filter: flag })
  const { filter = true } = options
  return marked(column, { softDelete: { filter } }) as MarkedColumn<Builder, { softDelete: true }> // as Drizzle's notNull() marks a type
}

/**
 * Marks a column of your own as the version of its row, as {@link version} does: each update adds one to it, and `expectedVersion` is
 * compared with it. Anyone else who writes to the table must add one, too. A new row gets 1, if the column has no default.
 *
 * @throws {@link UsageError} for anything but the builder of a column, and when the table is first used, if the column holds no whole
 * number or can be null
 * @example
 * ```ts
 * const orders = pgTable('ORDERS', { id: integer('ID').primaryKey(), revision: asVersion(integer('REVISION').notNull().default(0)) })
 * ```
 */
export function asVersion<Builder extends ColumnBuilder> (column: Builder): MarkedColumn<SetColumn<Builder>, { version: true }> {
  checkBuilder('asVersion', column)
  return filledBy(marked(column, { version: true }), 1) as MarkedColumn<SetColumn<Builder>, { version: true }> // as above
}

function checkBuilder (caller: string, column: unknown): void {
  if (isEntity(column, PgColumnBuilder)) return
  throw new UsageError(`${caller}() takes the column as it is declared, such as ${caller}(${caller === 'asVersion' ? 'integer' : 'timestamp'}('name'))`)
}

type KeysMarked<T extends PgTable, Mark> = {
  [Key in keyof T['_']['columns'] & string]: HasMark<T['_']['columns'][Key], Mark> extends true ? Key : never
}[keyof T['_']['columns'] & string]

/** The key of a table's column of `softDelete()` or {@link asDeletedAt}; `never` for a table without one. */
export type SoftDeleteKey<T extends PgTable> = KeysMarked<T, { softDelete: true }>

/** The key of a table's column of `version()` or {@link asVersion}; `never` for a table without one. */
export type VersionKey<T extends PgTable> = KeysMarked<T, { version: true }>
