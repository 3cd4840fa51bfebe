import { UsageError } from '../errors/errors.js'
import { columnsOf } from '../model/table.js'
import { isPlainObject } from '../runtime/option-checks.js'
import type { PgTable } from 'drizzle-orm/pg-core'

/** Under which a repository class keeps what it was made for; only `Repository.of()` writes it. */
export const declared: unique symbol = Symbol('what a repository class is for')

/** What a repository class was made for. */
export interface Declared {
  readonly table: PgTable
  /** The only columns that callers may write; every column unless given. */
  readonly writable: readonly string[] | undefined
}

/** What `Repository.of` takes besides the table. */
export interface ClassOptions<W extends string> {
  /** The only columns that callers may write. @defaultValue every column that can be written */
  readonly writable?: readonly W[] | undefined
}

/**
 * What a class is made for. Columns are looked at when a database first asks: tables of files that import each other may not be whole yet.
 *
 * @throws UsageError for what is no table, and for options that there are none.
 */
export function declare (table: PgTable, options: ClassOptions<string>): Declared {
  columnsOf(table)
  const given: unknown = options
  if (!isPlainObject(given) || Object.keys(given).some((name) => name !== 'writable')) {
    throw new UsageError('The options of Repository.of() are { writable: [column, …] }')
  }
  return { table, writable: options.writable }
}
