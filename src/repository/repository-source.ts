import type { PgTable } from 'drizzle-orm/pg-core'
import { UsageError } from '../errors/errors.js'
import { columnsOf } from '../model/table.js'
import type { StatementRunner } from '../statement/statement.js'
import { isPlainObject } from './filter/parse-filter.js'
import type { Repository, RepositoryContext } from './repository.js'

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

/** A class of repositories for one table: `Repository.of(table)` makes it, a class of one's own extends it. */
export interface RepositoryClass<R = unknown> {
  readonly [declared]: Declared
  new (context: RepositoryContext): R
}

/** What a repository can be had for: a table, or a class that extends `Repository.of(table)`. */
export type RepositorySource = PgTable | RepositoryClass

/** The repository of a table, or the instance of a class. */
export type RepositoryOf<Source extends RepositorySource> =
  Source extends PgTable ? Repository<Source>
    : Source extends RepositoryClass<infer R> ? R
      : never

/** The session or database that a repository belongs to: it runs its statements, and has other repositories. */
export interface RepositorySession extends StatementRunner {
  /** Another repository here: of a table, or an instance of a class. */
  repo<Source extends RepositorySource> (source: Source): RepositoryOf<Source>
  /** All or nothing: a nested scope in a session, a transaction of its own on a database. */
  transaction<Result> (fn: (scope: RepositorySession) => Promise<Result>): Promise<Result>
}
