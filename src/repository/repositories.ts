import type { PgTable } from 'drizzle-orm/pg-core'
import { ValidationError } from '../errors/errors.js'
import type { StatementRunner } from '../session/statement.js'
import { Repository } from './repository.js'
import type { RepositoryContext } from './repository.js'
import { SqlBuilder, TableStatements } from './statements.js'
import type { StatementSettings } from './statements.js'

/** A class of one's own: it extends `Repository` and names its table. */
export interface RepositoryClass<R = unknown> {
  readonly table: PgTable
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

/** Makes the repositories of one database: tables are described and statements built once, repositories cost next to nothing. */
export class Repositories {
  readonly #builder: SqlBuilder
  readonly #statements = new WeakMap<object, TableStatements>()

  constructor (settings: StatementSettings) {
    this.#builder = new SqlBuilder(settings)
  }

  /**
   * The repository of a table or class, whose statements the given session or database runs.
   *
   * @throws ValidationError for a view, a table without a primary key, and a class without `static table`.
   */
  create<Source extends RepositorySource> (session: StatementRunner, source: Source): RepositoryOf<Source> {
    const statements = this.#statements.get(source) ?? this.#describe(source)
    const Class: SourceClass = typeof source === 'function' ? source : Repository
    return new Class({ session, statements, visibility: 'table' }) as RepositoryOf<Source> // the type says what was just decided
  }

  #describe (source: RepositorySource): TableStatements {
    const table = typeof source === 'function' ? tableOf(source) : source
    const statements = (table !== source && this.#statements.get(table)) || new TableStatements(table, this.#builder)
    this.#statements.set(table, statements)
    this.#statements.set(source, statements)
    return statements
  }
}

function tableOf (source: RepositoryClass): PgTable {
  if (!(source.prototype instanceof Repository)) {
    throw new ValidationError(`${source.name} is not a repository: write "class ${source.name} extends Repository<typeof table>"`)
  }
  if (source.table === undefined) {
    throw new ValidationError(`${source.name} does not say which table it is for: write "static table = …" in it`)
  }
  return source.table
}
