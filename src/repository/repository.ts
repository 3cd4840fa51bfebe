import { UsageError } from '../errors/errors.js'
import { visible } from './filter/visibility.js'
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
import type { Relations } from './types/related-rows.js'
import type { HookNames, LifecycleHooks } from './write/lifecycle-hooks.js'
import type { Writable } from './write/writable-columns.js'

/** What a repository is made of; only the package makes one. */
export interface RepositoryContext {
  readonly session: RepositorySession
  readonly statements: TableStatements
  readonly visibility: Visibility
  readonly hooks: HookNames | undefined
  readonly writable: Writable | undefined
}

const madeByHand = 'A repository is not made by "new": request.repo(table), session.repo(table) and database.repo(table) give it'

/**
 * Reads and writes the rows of one table, in the session it was asked from.
 *
 * Every method rejects with a `ValidationError` for a column, value, filter or page that cannot be, and with a `UsageError`
 * for an option that there is none, before anything is sent.
 * Of a table with `softDelete()` it sees the rows that are not deleted.
 *
 * @example
 * ```ts
 * class UserRepository extends Repository.of(users) {
 *   findByEmail (email: string) { return this.getBy({ email }) }
 * }
 * const user = await request.repo(UserRepository).findByEmail('ada@example.com')
 * ```
 *
 * A class may have hooks, `beforeCreate` and the five others. `W` are the columns that callers may write.
 */
export class Repository<T extends PgTable, W extends ColumnKey<T> = WritableKey<T>, O extends Others = 'refuse'> extends RepositoryWrites<T, W, O> {
  /** The Drizzle table, for SQL of one's own. */
  protected readonly table: T
  /** The session, or database, that runs the statements. */
  protected readonly session: RepositorySession
  readonly #context: RepositoryContext

  /**
   * The class of the repositories of a table, for a class of one's own to extend: `request.repo()` takes either.
   *
   * With `writable` callers may write those columns only, by their types and at run time; hooks and `this.unrestricted()` may write all.
   *
   * @throws UsageError for a view, what is no table, and an option that there is none; for a column that cannot be written, when
   * the class is first asked for.
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

  /** @throws UsageError, as only the package makes a repository: it has a session. */
  constructor (context: RepositoryContext) {
    // What JavaScript, or a cast, gives instead.
    if (!((context as Partial<RepositoryContext> | undefined)?.statements instanceof TableStatements)) throw new UsageError(madeByHand)
    const { session, statements: table, visibility, writable, hooks } = context
    const Class = new.target as unknown as new (context: RepositoryContext) => LifecycleHooks // hooks are protected, and a subclass inherits the constructor
    const inScope = (scope: StatementRunner): LifecycleHooks => new Class({ ...context, session: scope as RepositorySession, writable: undefined }) // as its session is one
    super({ table, session, seen: visible(table.softDelete, visibility), writable, hooks: hooks && { names: hooks, in: inScope } })
    this.table = table.table as T // Repositories pairs each class with the statements of its own table
    this.session = session
    this.#context = context
  }

  /** The same repository, seeing deleted rows as well. */
  withDeleted (): this {
    return this.#as({ visibility: 'all' })
  }

  /** The same repository, seeing nothing but deleted rows. */
  onlyDeleted (): this {
    return this.#as({ visibility: 'deleted' })
  }

  /**
   * The same repository, which writes nothing but these columns for its callers: any other key is a `ValidationError`, or dropped.
   * Hooks of the class may still write all. It can be made less, never more.
   *
   * @throws UsageError, at once, for what is no column, cannot be written, or was not writable before.
   * @example
   * ```ts
   * await request.repo(users).writable(['name', 'email']).update(id, request.body)
   * ```
   */
  writable<const K extends W, D extends Others = 'refuse'> (keys: readonly K[], options?: WritableOptions<D>): WritableRepository<this, T, K, D> {
    const { statements, writable } = this.#context
    // Its type leaves out what may not be written; it is the same class.
    return this.#as({ writable: parseWritable({ keys, options }, statements, writable) }) as unknown as WritableRepository<this, T, K, D>
  }

  /** The same repository without what {@link Repository.of} or {@link Repository.writable} say of it: for methods of the class, which know what they write. */
  protected unrestricted (): Repository<T> {
    return this.#as({ writable: undefined }) as unknown as Repository<T> // as above
  }

  /**
   * The same rows, each with what is related to it: for reading alone. Related rows that were deleted are hidden as they are
   * elsewhere: in a relation to one, such a row is null, whatever its type says. The relations are those of the schema that was
   * given to the database; the types come from `Register`.
   *
   * @throws UsageError, from the methods, for a relation that is not in the schema.
   * @example
   * ```ts
   * const user = await request.repo(users).with({ posts: { limit: 10, with: { comments: true } } }).getOrThrow(1)
   * ```
   */
  with<const W extends Relations<T>> (relations: W): RelatedRepository<T, W> {
    const { session, statements, visibility } = this.#context
    return new RelatedRepository({ repo: this, session, statements, relations, seesDeleted: visibility === 'all' || visibility === 'deleted' })
  }

  /** Another repository in the same session: of a table, or an instance of a class. */
  protected repo<Source extends RepositorySource> (source: Source): RepositoryOf<Source> {
    return this.session.repo(source)
  }

  /** Runs a Drizzle query, which resolves with its own result, or an `sql` template, which resolves with `{ rows, rowCount, command }`. */
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

/** Methods that take values, and so depend on what may be written. */
type ValueMethod = 'create' | 'createMany' | 'upsert' | 'upsertMany' | 'getOrCreate' | 'update' | 'updateOrThrow' | 'updateMany'

/** Methods that give the same repository again. */
interface SameAgain<R, T extends PgTable, W extends ColumnKey<T>, O extends Others> {
  withDeleted (): WritableRepository<R, T, W, O>
  onlyDeleted (): WritableRepository<R, T, W, O>
  writable<const K extends W, D extends Others = 'refuse'> (keys: readonly K[], options?: WritableOptions<D>): WritableRepository<R, T, K, D>
}

/** A repository, or an instance of a repository class, whose callers may write the columns `W` only. */
export type WritableRepository<R, T extends PgTable, W extends ColumnKey<T>, O extends Others> =
  Omit<R, ValueMethod | keyof SameAgain<R, T, W, O>> & Pick<Repository<T, W, O>, ValueMethod> & SameAgain<R, T, W, O>

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
