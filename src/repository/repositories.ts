import type { PgTable } from 'drizzle-orm/pg-core'
import { UsageError } from '../errors/errors.js'
import type { StatementRunner } from '../session/statement.js'
import { hooksOf } from './hooks.js'
import { Repository } from './repository.js'
import type { RepositoryContext } from './repository.js'
import { SqlBuilder, TableStatements } from './statements.js'
import type { StatementSettings } from './statements.js'
import { parseWritable } from './writable.js'

/** A class of one's own: it extends `Repository` and names its table. */
export interface RepositoryClass<R = unknown> {
  readonly table: PgTable
  /** The only columns that callers may write; the class itself may write all. @defaultValue every column */
  readonly writable?: readonly string[]
  new (context: RepositoryContext): R
}

/** What a repository can be had for: a table, or a class that names one. */
export type RepositorySource = PgTable | RepositoryClass

/** The repository of a table, or the instance of a class. */
export type RepositoryOf<Source extends RepositorySource> =
  Source extends PgTable ? Repository<Source>
    : Source extends RepositoryClass<infer R> ? R
      : never

type SourceClass = new (context: RepositoryContext) => unknown

/** What is found out once about a source. */
type Described = Omit<RepositoryContext, 'session' | 'visibility'>

/** Makes the repositories of one database: tables are described and statements built once, repositories cost next to nothing. */
export class Repositories {
  readonly #builder: SqlBuilder
  readonly #described = new WeakMap<object, Described>()

  constructor (settings: StatementSettings) {
    this.#builder = new SqlBuilder(settings)
  }

  /**
   * The repository of a table or class, whose statements the given session or database runs.
   *
   * @throws UsageError for a view, a table without a primary key, a class without `static table`, and one whose
   * `static writable` names what cannot be written.
   */
  create<Source extends RepositorySource> (session: StatementRunner, source: Source): RepositoryOf<Source> {
    const { statements, hooks, writable } = this.#described.get(source) ?? this.#describe(source)
    const Class: SourceClass = typeof source === 'function' ? source : Repository
    return new Class({ session, statements, visibility: 'table', hooks, writable }) as RepositoryOf<Source> // the type says what was just decided
  }

  #describe (source: RepositorySource): Described {
    if (typeof source !== 'function') return this.#remember(source, { statements: new TableStatements(source, this.#builder), hooks: undefined, writable: undefined })
    const table = tableOf(source)
    const { statements } = this.#described.get(table) ?? this.#describe(table)
    const writable = source.writable && parseWritable({ keys: source.writable }, statements)
    return this.#remember(source, { statements, hooks: hooksOf(source.prototype, Repository.prototype), writable })
  }

  #remember (source: RepositorySource, described: Described): Described {
    this.#described.set(source, described)
    return described
  }
}

function tableOf (source: RepositoryClass): PgTable {
  if (!(source.prototype instanceof Repository)) {
    throw new UsageError(`${source.name} is not a repository: write "class ${source.name} extends Repository<typeof table>"`)
  }
  if (source.table === undefined) {
    throw new UsageError(`${source.name} does not say which table it is for: write "static table = …" in it`)
  }
  return source.table
}
