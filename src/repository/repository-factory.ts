import { UsageError } from '../errors/errors.js'
import { hooksOf } from './write/lifecycle-hooks.js'
import { Repository } from './repository.js'
import type { RepositoryClass, RepositoryContext, RepositoryOf, RepositorySession, RepositorySource } from './repository.js'
import { declared } from './repository-class.js'
import type { Declared } from './repository-class.js'
import { SqlBuilder, TableStatements } from './table/table-statements.js'
import type { StatementSettings } from './table/table-statements.js'
import { parseWritable } from './write/writable-columns.js'

type SourceClass = new (context: RepositoryContext) => unknown

/** The parts of a repository that are the same for every session. */
type Described = Omit<RepositoryContext, 'session' | 'visibility'>

/** Makes the repositories of one database. Tables are described and statements built once, so a repository is cheap. */
export class Repositories {
  readonly #builder: SqlBuilder
  readonly #described = new WeakMap<object, Described>()

  constructor (settings: StatementSettings) {
    this.#builder = new SqlBuilder(settings)
  }

  /**
   * Returns the repository of a table or class; the given session or database runs its statements.
   *
   * @throws UsageError for a view, a table without a primary key, anything that is neither a table nor a repository class, and a
   * class whose `writable` names a column that cannot be written.
   */
  create<Source extends RepositorySource> (session: RepositorySession, source: Source): RepositoryOf<Source> {
    const { statements, hooks, writable } = this.#described.get(source) ?? this.#describe(source)
    const Class: SourceClass = typeof source === 'function' ? source : Repository
    return new Class({ session, statements, visibility: 'table', hooks, writable }) as RepositoryOf<Source> // RepositoryOf<Source> is the same choice as a type
  }

  #describe (source: RepositorySource): Described {
    if (typeof source !== 'function') {
      return this.#remember(source, { statements: new TableStatements(source, this.#builder), hooks: undefined, writable: undefined })
    }
    const { table, writable: keys } = declarationOf(source)
    const { statements } = this.#described.get(table) ?? this.#describe(table)
    const writable = keys === undefined ? undefined : parseWritable({ keys }, statements)
    return this.#remember(source, { statements, hooks: hooksOf(source.prototype, Repository.prototype), writable })
  }

  #remember (source: RepositorySource, described: Described): Described {
    this.#described.set(source, described)
    return described
  }
}

/** A JavaScript program may pass any function. */
function declarationOf (source: RepositoryClass & { readonly name: string }): Declared {
  const { name, [declared]: declaration } = source as Partial<RepositoryClass> & { readonly name: string }
  if (declaration !== undefined) return declaration
  throw new UsageError(`${name || 'A function without a name'} is no repository class: write "class … extends Repository.of(table)", or ask for the table itself`)
}
