/**
 * The base of a session and of the scopes nested in it: the order of calls, and the gate that ends them.
 *
 * While a nested scope is open, its parent's own statements and its siblings wait: none of them may run between its savepoint
 * and its end. A scope costs no round trip. Its savepoint is sent with its first statement, and released with the first one after
 * it; a scope without statements has none. Every handle refers to the innermost open scope in whose function it is used.
 */
import { TransactionAbortedError, TransactionScopeError, UsageError } from '../errors/errors.js'
import { Callbacks, runAll } from './transaction-callbacks.js'
import { mustBeFunction } from '../errors/check-call.js'
import { AsyncContext } from '../runtime/async-context.js'
import { handled } from '../runtime/promises.js'
import { closed, isClientGone } from './transaction/end-reason.js'
import { plainQuery } from './plain-query.js'
import { Streams } from './row-stream.js'
import { ScopeQueue } from './scope-queue.js'
import type { SQLWrapper } from 'drizzle-orm'
import type { Callback } from './transaction-callbacks.js'
import type { DrizzleDatabase } from '../drizzle/types/drizzle-database.js'
import type { ScopeRoot } from './scope-root.js'
import type { DrizzleQuery, RowSource, Statement, StatementResult, StatementRunner } from '../statement/statement.js'
import type { Savepoint } from './transaction/savepoint.js'
import type { RepositoryOf, RepositorySource } from '../repository/repository.js'
import type { Caller } from '../statement/caller.js'

/**
 * The nested scope that a caller is in, however deep its calls go.
 *
 * The context is entered with a session's first nested scope, and left when the last of those sessions is settled. If it
 * were left earlier, work that still runs after its scope has ended would count as work of the outer transaction.
 */
const nesting = new AsyncContext<Scope<unknown>>()

/** The innermost nested scope in whose function the caller runs, of any session. */
export function currentScope (): Scope<unknown> | undefined {
  return nesting.current
}

const withoutSettings = 'stream() reads over a connection of its own, where the settings that its SQL has changed (SET, set_config, a role) do not apply: give them as the context of the session, read by cursor() or filter() in it, or set them for the database user'

const nestedCall = 'A nested transaction (also one of createMany() or of hooks)'

const nestedOptions = 'A nested transaction takes no options: it is a savepoint of the outer one, and has its isolation level'

/** `Drizzle` is the type of its Drizzle database, whose queries know the tables. */
export class Scope<Drizzle = DrizzleDatabase> implements StatementRunner {
  /** The scope in whose function this one was opened, of any session. */
  readonly outer: Scope<unknown> | undefined
  protected readonly root: ScopeRoot
  readonly #parent: Scope<Drizzle> | undefined
  protected readonly callbacks = new Callbacks()
  readonly #savepoint: Savepoint | undefined
  #queue: ScopeQueue | undefined
  #child: Scope<Drizzle> | undefined
  #ended: (() => Error) | undefined
  /** Whether the outer scope ended first, together with this one's savepoint. */
  #isUndone = false
  /** The error of the first write that waited too long for a nested scope. */
  #missed: Error | undefined
  #mustRollBack = false
  #drizzle: Drizzle | undefined

  /** @throws {UsageError} if a program calls it: only the package makes scopes */
  constructor (root: ScopeRoot, parent?: Scope<Drizzle>, savepoint?: Savepoint) {
    // The types rule this out; JavaScript and casts do not.
    if ((root as Partial<ScopeRoot> | null | undefined)?.transaction === undefined) {
      throw new UsageError('A scope is not made by "new": session.transaction((scope) => …) gives it')
    }
    this.root = root
    this.outer = currentScope()
    this.#parent = parent
    this.#savepoint = savepoint
  }

  /** The caller for whom connections are taken. */
  get caller (): Caller { return this.root.caller }

  /** A real Drizzle database whose every query runs here, and whose own `.transaction()` is a nested scope. */
  get drizzle (): Drizzle {
    this.#drizzle ??= this.root.context.drizzle.bind<Drizzle>(this)
    return this.#drizzle
  }

  /**
   * A repository for a table, or an instance of a repository class, whose statements run here.
   *
   * @throws {UsageError} for a view, a table without a primary key, and anything that is neither a table nor a repository class
   */
  repo<Source extends RepositorySource> (source: Source): RepositoryOf<Source> {
    return this.root.context.repositories.create(this, source)
  }

  /**
   * Runs a Drizzle query, which resolves with its own result, or an `sql` template, which resolves with `{ rows, rowCount, command }`.
   *
   * @example
   * ```ts
   * const { rows } = await session.execute<{ total: number }>(sql`select count(*)::int as total from users`)
   * ```
   */
  execute<Result> (query: DrizzleQuery<Result>): Promise<Result>
  execute<Row = Record<string, unknown>> (statement: SQLWrapper): Promise<StatementResult<Row>>
  execute (statement: SQLWrapper): Promise<unknown> {
    return handled(this.root.context.drizzle.execute(this, statement))
  }

  /**
   * Runs SQL that another library wrote, with values for `$1`, `$2`; resolves with what a pg client would give. It has a place in the
   * transaction like any statement. Without values it may hold several.
   */
  query<Row = Record<string, unknown>> (text: string, values?: readonly unknown[]): Promise<StatementResult<Row>> {
    return handled(plainQuery<Row>(this, text, values))
  }

  /** Runs one statement; repositories use it. */
  run<Row> (statement: Statement): Promise<StatementResult<Row>> {
    const answer = this.#innermost().#run(statement) as Promise<StatementResult<Row>>
    this.root.context.watch?.(statement, answer)
    return answer
  }

  /**
   * The rows of a read, over a connection of its own; `repo.stream()` uses it. It outlives the transaction, not the request.
   *
   * @throws {UsageError} if the session's SQL has changed a setting or the role, which would not apply there
   */
  stream<Row> (statement: Statement, batchSize: number): RowSource<Row> {
    const { transaction, context, caller } = this.root
    if (this.#ended !== undefined) throw this.#ended()
    this.root.streams ??= new Streams(context, caller, transaction.lead)
    return this.root.streams.open(statement, {
      batchSize,
      mayWait: () => !transaction.holdsConnection,
      obstacle: () => transaction.work.hasSettings ? new UsageError(withoutSettings) : undefined
    })
  }

  #run (statement: Statement): Promise<StatementResult<never>> {
    const { transaction } = this.root
    if (this.#ended === undefined && this.#child === undefined) return handled(transaction.run(statement, this.#savepoint))
    const answer = this.#enter(() => transaction.run(statement, this.#savepoint))
    answer.catch((error: Error) => { if (error instanceof TransactionScopeError && statement.kind !== 'read') this.#missed ??= error })
    return answer
  }

  /**
   * Runs a function in a nested scope, a savepoint: its changes stay if it resolves, and are undone if it throws.
   *
   * The function receives the scope. Siblings that are started together run one after the other.
   *
   * @throws {TransactionScopeError} if the scope waited too long for others, or the function left a scope of its own open
   * @throws {TransactionAbortedError} if the function resolved although a statement in it had failed
   * @example
   * ```ts
   * const post = await request.transaction(async (scope) => scope.repo(posts).create(draft)).catch(() => undefined)
   * ```
   */
  transaction<Result> (fn: (scope: Scope<Drizzle>) => Result | Promise<Result>, options?: undefined): Promise<Result> {
    const misuse = options === undefined ? mustBeFunction(fn, 'transaction()') : new UsageError(nestedOptions)
    const refusal = this.root.transaction.refuses?.(nestedCall) ?? misuse
    if (refusal !== undefined) return handled(Promise.reject(refusal))
    const scope = this.#innermost()
    return handled(scope.#enter(() => scope.#nest(fn)))
  }

  /**
   * Runs a function inside the outermost transaction, just before its COMMIT. It may write, and prevents the commit by throwing.
   * It must not await `commit()` or `rollback()`, which wait for it.
   */
  beforeCommit (fn: Callback): void { this.#register('beforeCommit', fn) }

  /**
   * Runs a function when everything is committed and the connection is back in the pool.
   * The reply waits until the function has started, not until it is done. It is not run if its scope is undone.
   */
  afterCommit (fn: Callback): void { this.#register('afterCommit', fn) }

  /** Runs a function when this scope has been rolled back. */
  afterRollback (fn: Callback): void { this.#register('afterRollback', fn) }

  /** Rolls back at the end, whatever the reply is: a dry run. On a nested scope, undoes only that scope. The reason is logged at `debug`. */
  rollbackOnly (reason?: string): void {
    const refusal = this.root.transaction.refuses?.('rollbackOnly()')
    if (refusal !== undefined) throw refusal
    this.#innermost().#mustRollBack = true
    const unchecked: unknown = reason
    if (unchecked !== undefined && typeof unchecked !== 'string') {
      throw new UsageError('The reason of rollbackOnly() is a text for the log; the transaction will be rolled back, as requested')
    }
    this.root.caller.logger.debug({ reason }, 'rollbackOnly() was called: the changes will be undone')
  }

  /** The reason why this scope cannot be kept, if any. */
  protected get obstacle (): Error | undefined {
    const missed = this.#missed && new TransactionAbortedError(undefined, { cause: this.#missed })
    return missed ?? this.root.transaction.obstacle
  }

  /** Whether {@link rollbackOnly} was called on this scope. */
  protected get mustRollBack (): boolean { return this.#mustRollBack }

  /** Whether a nested scope is open. */
  protected get hasChild (): boolean { return this.#child !== undefined }

  /** Refuses all later calls, here and in the open nested scope; returns whether there was one. */
  protected end (reason: () => Error): boolean {
    this.#ended ??= reason
    this.#queue?.clear(reason)
    if (this.#child === undefined) return false
    this.#child.#isUndone = true
    this.#child.end(reason)
    return true
  }

  #register (moment: 'beforeCommit' | 'afterCommit' | 'afterRollback', fn: Callback): void {
    const refusal = mustBeFunction(fn, `${moment}()`) ?? (moment === 'beforeCommit' ? this.root.transaction.refuses?.('beforeCommit()') : undefined)
    if (refusal !== undefined) throw refusal
    const scope = this.#innermost()
    if (scope.#ended !== undefined) throw scope.#ended()
    scope.callbacks.add(moment, fn)
  }

  #innermost (): Scope<Drizzle> {
    for (let scope = currentScope(); scope !== undefined; scope = scope.outer) {
      if (scope.root === this.root) return scope.#isInside(this) ? scope as Scope<Drizzle> : this // one root has one database
    }
    return this
  }

  #isInside (other: Scope<unknown>): boolean {
    return this === other || (this.#parent !== undefined && this.#parent.#isInside(other))
  }

  #enter<Result> (start: () => Promise<Result>): Promise<Result> {
    if (this.#ended !== undefined) return this.#refuse(this.#ended())
    if (this.#child === undefined) return start()
    this.#queue ??= new ScopeQueue(this.root.context.scopeTimeoutMillis)
    return this.#queue.take(start)
  }

  /** A statement came after the end: from a handler after its reply, or from a promise that was not awaited. */
  #refuse (reason: Error): Promise<never> {
    const { root } = this
    // If the client has left, the late statement is not a mistake.
    const level = isClientGone(reason) ? 'debug' : 'warn'
    if (!root.hasToldOfZombie) root.caller.logger[level]({ err: reason }, 'a statement came after the end of its transaction and was refused')
    root.hasToldOfZombie = true
    return Promise.reject(reason)
  }

  async #nest<Result> (fn: (scope: Scope<Drizzle>) => Result | Promise<Result>): Promise<Result> {
    const { root } = this
    const savepoint = { name: `s${++root.savepoints}`, outer: this.#savepoint, sent: false, isInDoubt: false }
    const child = new Scope<Drizzle>(root, this, savepoint)
    this.#child = child
    root.leaveContext ??= nesting.enter()
    try {
      return await child.#complete(fn, savepoint, this.callbacks)
    } finally {
      this.#child = undefined
      this.#queue?.next(() => this.#child === undefined)
    }
  }

  async #complete<Result> (fn: (scope: Scope<Drizzle>) => Result | Promise<Result>, savepoint: Savepoint, parent: Callbacks): Promise<Result> {
    try {
      const result = await nesting.run(this, () => fn(this))
      if (await this.#keep(savepoint)) this.callbacks.passTo(parent)
      else await this.#undo(savepoint)
      return result
    } catch (error) {
      this.end(closed)
      await this.#undo(savepoint)
      throw error
    }
  }

  /** Does everything that may prevent the scope from being kept; `false` after `rollbackOnly()`. */
  async #keep (savepoint: Savepoint): Promise<boolean> {
    const { transaction } = this.root
    const left = this.end(closed)
    await transaction.idle()
    if (this.#isUndone) throw this.#ended?.()
    if (this.#mustRollBack) return false
    if (left) throw new TransactionScopeError('A nested transaction was not awaited: it was undone with the one around it')
    const obstacle = this.obstacle ?? await transaction.release(savepoint)
    if (obstacle !== undefined) throw obstacle
    return true
  }

  async #undo (savepoint: Savepoint): Promise<void> {
    const { transaction, context, caller } = this.root
    await transaction.idle()
    if (!this.#isUndone) await transaction.undo(savepoint)
    if (this.callbacks.afterRollback.length > 0) context.track(runAll(this.callbacks.afterRollback, 'after a rollback', caller.logger))
  }
}
