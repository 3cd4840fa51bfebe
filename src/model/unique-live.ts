import { getTableColumns, sql } from 'drizzle-orm'
import { uniqueIndex } from 'drizzle-orm/pg-core'
import type { ExtraConfigColumn, IndexBuilder, PgTable } from 'drizzle-orm/pg-core'
import { UsageError } from '../errors/errors.js'
import { markOf } from '../drizzle/column-mark.js'

type IndexColumn = Partial<ExtraConfigColumn>

/**
 * A unique index over the rows that are not deleted, for a table with `softDelete()`: a deleted row keeps its e-mail address, and
 * somebody else may have it. To restore a row whose place was taken is a `UniqueViolationError`.
 *
 * @throws {@link UsageError}, when the table is first used, where it has no `softDelete()`.
 * @example
 * ```ts
 * const users = pgTable('users', { id: integer().primaryKey(), email: text().notNull(), ...softDelete() },
 *   (table) => [uniqueLive(table.email)])
 * ```
 */
export function uniqueLive (column: IndexColumn, ...columns: IndexColumn[]): IndexBuilder {
  const table = column.table as PgTable // a column of a table that is being made has one
  const deletedAt = Object.values(getTableColumns(table)).find((candidate) => markOf(candidate).softDelete !== undefined)
  if (deletedAt === undefined) throw new UsageError('uniqueLive() needs a table with ...softDelete() among its columns')
  return uniqueIndex().on(column, ...columns).where(sql`${deletedAt} is null`)
}
