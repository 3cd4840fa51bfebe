import { UsageError } from '../errors/errors.js'
import { visible } from './filter/visibility.js'
import { JsonRepository } from './json/json-repository.js'
import { jsonStatements } from './json/json-statements.js'
import { RelatedRepository } from './related/related-repository.js'
import { declare, declared } from './repository-class.js'
import { RepositoryWrites } from './repository-writes.js'
import { TableStatements } from './table/table-statements.js'
import { parseWritable } from './write/writable-columns.js'
import type { SQLWrapper } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { DrizzleQuery, StatementResult, StatementRunner } from '../statement/statement.js'
import type { Visibility } from './filter/visibility.js'
import type { ClassOptions, Declared } from './repository-class.js'
import type { ColumnKey, Others, WritableKey, WritableOptions } from './types/filters.js'
import type { KnownColumns, RowSchema } from './types/json-options.js'
import type { KnownRelations, Relations } from './types/related-rows.js'
import type { HookNames, LifecycleHooks } from './write/lifecycle-hooks.js'
import type { Writable } from './write/writable-columns.js'

/** The parts of a repository. Only the package makes one. */
export interface RepositoryContext {
  readonly session: RepositorySession
  readonly statements: TableStatements
  readonly visibility: Visibility
  readonly hooks: HookNames | undefined
  readonly writable: Writable | undefined
}

/** The hooks of a class for each scope, where they may write all columns. */
function hooksIn (target: unknown, context: RepositoryContext): (scope: StatementRunner) => LifecycleHooks {
  const Class = target as new (context: RepositoryContext) => LifecycleHooks // hooks are protected, and a subclass inherits the constructor
  return (scope) => new Class({ ...context, session: scope as RepositorySession, writable: undefined }) // a scope is a session too
}

const madeByHand = 'A repository is not made by "new": request.repo(table), session.repo(table) and database.repo(table) give it'

/**
 * Reads and writes the rows of one table, in the session that it belongs to.
 *
 * Every method rejects with a `ValidationError` for an invalid column, value, filter or page, and with a `UsageError` for an
 * unknown option, before anything is sent. For a table with `softDelete()`, it sees only rows that are not deleted.
 *
 * @example
 * ```ts
 * class UserRepository extends Repository.of(users) {
 *   findByEmail (email: string) { return this.getBy({ email }) }
 * }
 * const user = await request.repo(UserRepository).findByEmail('ada@example.com')
 * ```
 *
 * A class may override hooks: `beforeCreate` and five others. `W` are the columns that callers may write.
 */
export class Repository<T extends PgTable, W extends ColumnKey<T> = WritableKey<T>, O extends Others = 'refuse'> extends RepositoryWrites<T, W, O> {
  /** The Drizzle table, for custom SQL. */
  protected readonly table: T
  /** The session, or database, that runs the statements. */
  protected readonly session: RepositorySession
  readonly #context: RepositoryContext

  /**
   * Makes the repository class of a table. Extend it with your own methods; `request.repo()` takes either class.
   *
   * With `writable`, callers may write only those columns; types and run time both check it. Hooks and `this.unrestricted()` may
   * write all.
   *
   * @throws UsageError for a view, anything else that is not a table, and an unknown option; for a column that cannot be written,
   * when the class is first used.
   * @example
   * ```ts
   * class UserRepository extends Repository.of(users, { writable: ['name', 'email'] }) {
   *   findByEmail (email: string) { return this.getBy({ email }) }
   * }
   * ```
   */
  static of<T extends PgTable, const W extends WritableKey<T> = WritableKey<T>> (table: T, options: ClassOptions<W> = {}): RepositoryClass<Repository<T, W>> {
    const declaration = declare(table, options)
    return class extends Repository<T, W> {
      static readonly [declared] = declaration
    }
  }

  /** @throws UsageError unless the package calls it: a repository needs a session. */
  constructor (context: RepositoryContext) {
    // A JavaScript program or a cast may pass any value.
    if (!((context as Partial<RepositoryContext> | undefined)?.statements instanceof TableStatements)) throw new UsageError(madeByHand)
    const { session, statements: table, visibility, writable, hooks } = context
    super({ table, session, visibleRows: visible(table.softDelete, visibility), writable, hooks: hooks && { names: hooks, on: hooksIn(new.target, context) } })
    this.table = table.table as T // Repositories pairs each class with the statements of its own table
    this.session = session
    this.#context = context
  }

  /** Returns the same repository, which also sees soft-deleted rows. */
  withDeleted (): this {
    return this.#as({ visibility: 'all' })
  }

  /** Returns the same repository, which sees only soft-deleted rows. */
  onlyDeleted (): this {
    return this.#as({ visibility: 'deleted' })
  }

  /**
   * Returns the same repository, whose callers may write only these columns. Every other key is a `ValidationError`, or is dropped.
   * Hooks of the class may still write all. A further call can remove columns, never add any.
   *
   * @throws UsageError at once for an unknown column, one that cannot be written, or one that was not writable before.
   * @example
   * ```ts
   * await request.repo(users).writable(['name', 'email']).update(id, request.body)
   * ```
   */
  writable<const K extends W, D extends Others = 'refuse'> (keys: readonly K[], options?: WritableOptions<D>): WritableRepository<this, T, K, D> {
    const { statements, writable } = this.#context
    // The type leaves out the other columns; the class is the same.
    return this.#as({ writable: parseWritable({ keys, options }, statements, writable) }) as unknown as WritableRepository<this, T, K, D>
  }

  /** Returns the same repository without the limits of {@link Repository.of} and {@link Repository.writable}, for methods of the class. */
  protected unrestricted (): Repository<T> {
    return this.#as({ writable: undefined }) as unknown as Repository<T> // as above
  }

  /**
   * Reads each row with its related rows. The result is read-only. Soft-deleted related rows are hidden: a relation to one such
   * row is null, even if its type does not say so. The relations are those of the schema of the database; the types come from
   * `Register`.
   *
   * @throws UsageError, from the methods, for a relation that is not in the schema.
   * @example
   * ```ts
   * const user = await request.repo(users).with({ posts: { limit: 10, with: { comments: true } } }).getOrThrow(1)
   * ```
   */
  with<const W extends Relations<T>> (relations: W & KnownRelations<W, Relations<T>>): RelatedRepository<T, W> {
    const { session, statements, visibility } = this.#context
    return new RelatedRepository({ repo: this, session, statements, relations, seesDeleted: visibility === 'all' || visibility === 'deleted' })
  }

  /**
   * Reads rows as JSON, straight from PostgreSQL's texts: no values are made of them, which saves a quarter of the server's time for
   * a list. Fastify sends the result as it is.
   *
   * The schema is that of one row in the response schema of the route. Its properties are the columns that are read. Without one, all
   * columns are.
   *
   * @throws UsageError at once for a property that is no column, or whose schema needs a value
   * @example
   * ```ts
   * const user = { type: 'object', properties: { id: { type: 'integer' }, name: { type: 'string' } } } as const
   * server.get('/users', { schema: { response: { 200: { type: 'array', items: user } } } }, (request) =>
   *   request.repo(users).json(user).getAll({ limit: 20 }))
   * ```
   */
  json<const S extends RowSchema> (schema?: S & KnownColumns<S, T>): JsonRepository<T> {
    const { session, statements, visibility } = this.#context
    return new JsonRepository(this, { table: jsonStatements(statements, schema), session, visibleRows: visible(statements.softDelete, visibility) })
  }

  /** Returns another repository in the same session: of a table, or an instance of a class. */
  protected repo<Source extends RepositorySource> (source: Source): RepositoryOf<Source> {
    return this.session.repo(source)
  }

  /** Runs a Drizzle query and resolves with its own result, or an `sql` template and resolves with `{ rows, rowCount, command }`. */
  execute<Result> (query: DrizzleQuery<Result>): Promise<Result>
  execute<R = Record<string, unknown>> (statement: SQLWrapper): Promise<StatementResult<R>>
  execute (statement: SQLWrapper): Promise<unknown> {
    return this.session.execute(statement)
  }

  #as (change: Partial<RepositoryContext>): this {
    const Class = this.constructor as new (context: RepositoryContext) => this // a subclass inherits the constructor
    return new Class({ ...this.#context, ...change })
  }
}

/** Methods that take values; their types depend on the writable columns. */
type ValueMethod = 'create' | 'createMany' | 'upsert' | 'upsertMany' | 'getOrCreate' | 'update' | 'updateOrThrow' | 'updateMany'

/** Methods that return the same repository. */
interface SameAgain<R, T extends PgTable, W extends ColumnKey<T>, O extends Others> {
  withDeleted (): WritableRepository<R, T, W, O>
  onlyDeleted (): WritableRepository<R, T, W, O>
  writable<const K extends W, D extends Others = 'refuse'> (keys: readonly K[], options?: WritableOptions<D>): WritableRepository<R, T, K, D>
}

/** A repository, or an instance of a repository class, whose callers may write only the columns `W`. */
export type WritableRepository<R, T extends PgTable, W extends ColumnKey<T>, O extends Others> =
  Omit<R, ValueMethod | keyof SameAgain<R, T, W, O>> & Pick<Repository<T, W, O>, ValueMethod> & SameAgain<R, T, W, O>

/** A class of repositories for one table: `Repository.of(table)`, or a class that extends it. */
export interface RepositoryClass<R = unknown> {
  readonly [declared]: Declared
  new (context: RepositoryContext): R
}

/** The argument of `repo()`: a table, or a class that extends `Repository.of(table)`. */
export type RepositorySource = PgTable | RepositoryClass

/** The repository of a table, or the instance of a class. */
export type RepositoryOf<Source extends RepositorySource> =
  Source extends PgTable ? Repository<Source>
    : Source extends RepositoryClass<infer R> ? R
      : never

/** The session or database of a repository. It runs the statements, and returns other repositories. */
export interface RepositorySession extends StatementRunner {
  /** Returns another repository: of a table, or an instance of a class. */
  repo<Source extends RepositorySource> (source: Source): RepositoryOf<Source>
  /** Runs all or nothing: in a nested scope of a session, or in a transaction of its own on a database. */
  transaction<Result> (fn: (scope: RepositorySession) => Promise<Result>): Promise<Result>
}
