import { checkPlainCall } from '../errors/check-call.js'
import { columnsOf } from '../model/table.js'
import { anything } from '../runtime/option-checks.js'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { OptionChecks } from '../runtime/option-checks.js'

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

/** The table of a repository class; anything else is returned as it is. */
export function tableOf (source: unknown): unknown {
  return typeof source === 'function' ? (source as { readonly [declared]?: Declared })[declared]?.table : source
}

const checks: OptionChecks<ClassOptions<string>> = { writable: anything }

/**
 * Checks the table and the options of a class. The columns are checked when a database first uses the class, because tables of
 * files that import each other may not be complete yet.
 *
 * @throws UsageError for anything but a table, and for unknown options.
 */
export function declare (table: PgTable, options: ClassOptions<string>): Declared {
  columnsOf(table)
  const given: unknown = options
  checkPlainCall('Repository.of()', given, checks)
  return { table, writable: options.writable }
}
