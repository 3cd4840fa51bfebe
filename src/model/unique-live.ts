import { getTableColumns, sql } from 'drizzle-orm'
import { PgTable, uniqueIndex } from 'drizzle-orm/pg-core'
import type { ExtraConfigColumn, IndexBuilder } from 'drizzle-orm/pg-core'
import { UsageError } from '../errors/errors.js'
import { isEntity } from '../drizzle/entity.js'
import { markOf } from '../drizzle/column-mark.js'

type IndexColumn = Partial<ExtraConfigColumn>

/**
 * A unique index over the rows that are not deleted, for a table with `softDelete()`: a deleted row keeps its e-mail address, and
 * another row may use it. Restoring a row whose value was taken is a `UniqueViolationError`.
 *
 * It takes columns. drizzle-kit gives the index its name, `users_email_index`, or `users_email_idx` with Drizzle 1.0. For an expression
 * or another name, write `` uniqueIndex('users_email_live').on(sql`lower(${table.email})`).where(isNull(table.deletedAt)) ``.
 *
 * @throws {@link UsageError} when the table is first used, if it has no `softDelete()` or an argument is not a column.
 * @example
 * ```ts
 * const users = pgTable('users', { id: integer().primaryKey(), email: text().notNull(), ...softDelete() },
 *   (table) => [uniqueLive(table.email)])
 * ```
 */
export function uniqueLive (column: IndexColumn, ...columns: IndexColumn[]): IndexBuilder {
  const tables = [column, ...columns].map((given: unknown) => Object(given).table)
  const table: unknown = tables[0] // a column of a table under construction has one
  if (!isEntity(table, PgTable) || tables.some((other) => other !== table)) {
    throw new UsageError('uniqueLive() takes columns of the table that is being made: (table) => [uniqueLive(table.email)]')
  }
  const deletedAt = Object.values(getTableColumns(table)).find((candidate) => markOf(candidate).softDelete !== undefined)
  if (deletedAt === undefined) throw new UsageError('uniqueLive() needs a table with ...softDelete() among its columns')
  return uniqueIndex().on(column, ...columns).where(sql`${deletedAt} is null`)
}
