import { UsageError } from '../errors/errors.js'
import { columnsOf } from '../model/table.js'
import { isPlainObject } from '../runtime/option-checks.js'
import type { PgTable } from 'drizzle-orm/pg-core'

/** The key of a repository class for its table and options; only `Repository.of()` writes it. */
export const declared: unique symbol = Symbol('what a repository class is for')

/** The table and the options of a repository class. */
export interface Declared {
  readonly table: PgTable
  /** The only columns that callers may write; undefined for every column. */
  readonly writable: readonly string[] | undefined
}

/** The options of `Repository.of`. */
export interface ClassOptions<W extends string> {
  /** The only columns that callers may write. @defaultValue every column that can be written */
  readonly writable?: readonly W[] | undefined
}

/**
 * Checks the table and the options of a class. The columns are checked when a database first uses the class, because tables of
 * files that import each other may not be complete yet.
 *
 * @throws UsageError for anything but a table, and for unknown options.
 */
export function declare (table: PgTable, options: ClassOptions<string>): Declared {
  columnsOf(table)
  const given: unknown = options
  if (!isPlainObject(given) || Object.keys(given).some((name) => name !== 'writable')) {
    throw new UsageError('The options of Repository.of() are { writable: [column, …] }')
  }
  return { table, writable: options.writable }
}
