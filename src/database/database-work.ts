import { handled } from '../runtime/promises.js'
import { isOptions } from '../runtime/option-checks.js'
import { mustBeFunction } from '../errors/check-call.js'
import { UsageError } from '../errors/errors.js'
import { mayFollow } from '../statement/may-follow.js'
import { resolveContext } from '../settings/transaction-context.js'
import { checkAreOptions, resolveTransactionOptions } from '../settings/transaction-options.js'
import { leadOf } from '../session/transaction/context-lead.js'
import { plainQuery } from '../session/plain-query.js'
import { runAutocommit } from '../session/transaction/autocommit.js'
import { Streams } from '../session/row-stream.js'
import { retrying } from '../session/retry.js'
import { currentScope } from '../session/scope.js'
import { Session } from '../session/session.js'
import type { SQLWrapper } from 'drizzle-orm'
import type { Caller } from '../statement/caller.js'
import type { CallSites } from '../statement/call-site.js'
import type { DrizzleDatabase } from '../drizzle/types/drizzle-database.js'
import type { ContextLead } from '../session/transaction/context-lead.js'
import type { SessionContext } from '../session/transaction/session-context.js'
import type { RepositoryOf, RepositorySource } from '../repository/repository.js'
import type { TransactionContext } from '../settings/transaction-context.js'
import type { TransactionOptions, TransactionSettings } from '../settings/transaction-options.js'
import type { Logger } from '../runtime/logger.js'
import type { DrizzleQuery, RowSource, Statement, StatementResult, StatementRunner } from '../statement/statement.js'

/** What the work of a database needs. */
export interface WorkBase {
  /** The context of its sessions. */
  readonly host: SessionContext
  readonly logger: Logger
  readonly callSites: CallSites
  /** The defaults of its transactions. */
  readonly transaction: TransactionOptions
}

/** The caller for whom a database takes connections by default. */
export function callerOf ({ logger }: { readonly logger: Logger }, attempt = 1): Caller {
  return { logger, label: 'database', callSite: undefined, attempt, within: undefined }
}

/** The work of a database: sessions, transactions, repositories, Drizzle and single statements. {@link Database} has more, {@link Database.withContext} a context. */
export class DatabaseWork<Drizzle = DrizzleDatabase> implements StatementRunner {
  /** The context of its sessions, for the testing kit, which runs between them and the pool. */
  readonly host: SessionContext
  readonly #base: WorkBase
  readonly #transaction: TransactionSettings
  #drizzle: Drizzle | undefined

  /** @throws {UsageError} for invalid options of transactions */
  constructor (base: WorkBase) {
    this.host = base.host
    this.#base = base
    this.#transaction = resolveTransactionOptions(base.transaction)
    if (this.#transaction.single) throw new UsageError('transaction.single is no default of a database: give it to session(), createSession() or a route')
  }

  /** A real Drizzle database over the pool. Each query commits by itself; `.transaction()` is {@link Database.transaction}. */
  get drizzle (): Drizzle {
    this.#drizzle ??= this.host.drizzle.bind<Drizzle>(this)
    return this.#drizzle
  }

  /** A repository for a table, or an instance of a repository class, each call of which commits by itself. */
  repo<Source extends RepositorySource> (source: Source): RepositoryOf<Source> {
    return this.host.repositories.create(this, source)
  }

  /**
   * Runs a function with a session: commits when it resolves, unless it rolled back itself; rolls back when it throws. The
   * connection is always released. With `retries` everything is repeated after a conflict.
   *
   * @example
   * ```ts
   * await database.session(async (session) => {
   *   const user = await session.repo(users).create({ name: 'Ada' })
   *   await session.repo(posts).create({ userId: user.id, title: 'Hello' })
   * })
   * ```
   */
  async session<Result> (fn: (session: Session<Drizzle>) => Result | Promise<Result>, options?: TransactionOptions): Promise<Result> {
    const refusal = mustBeFunction(fn, 'session() or transaction()')
    if (refusal !== undefined) throw refusal
    const settings = this.#settingsWith(options)
    const { logger } = this.#base
    return await retrying((attempt) => this.#attempt(fn, settings, attempt), { retries: settings.retries, logger, route: this.caller.label, place: this.host.place })
  }

  async #attempt<Result> (fn: (session: Session<Drizzle>) => Result | Promise<Result>, settings: TransactionSettings, attempt: number): Promise<Result> {
    const session = this.lend(settings, callerOf(this.#base, attempt))
    try {
      const result = await fn(session)
      if (!session.isRolledBack) await session.commit()
      return result
    } finally {
      await session.close()
    }
  }

  /**
   * A session that the program commits or rolls back itself; it holds no connection before its first statement.
   *
   * @throws {UsageError} for an unknown or invalid option
   * @example
   * ```ts
   * await using session = database.createSession()
   * await session.repo(users).create({ name: 'Ada' })
   * await session.commit()
   * ```
   */
  createSession (options?: TransactionOptions): Session<Drizzle> {
    return this.lend(this.#settingsWith(options))
  }

  /** A session for a caller that a Fastify plugin has named, with checked settings. */
  lend (settings: TransactionSettings, caller?: Caller): Session<Drizzle> {
    return new Session<Drizzle>(this.host, settings, this.#named(caller))
  }

  /** @internal The caller for whom it takes connections by default. */
  get caller (): Caller { return callerOf(this.#base) }

  /** A caller, with its call site and its outer caller for the log. */
  #named (caller: Caller = this.caller): Caller {
    caller.callSite = this.#base.callSites.here()
    caller.within = currentScope()?.caller
    return caller
  }

  /** Runs a function in a transaction, which begins with its first statement: like {@link Database.session}, without reads outside. */
  transaction<Result> (fn: (session: Session<Drizzle>) => Result | Promise<Result>, options?: TransactionOptions): Promise<Result> {
    // A value that is not an object of options is passed on, and refused there.
    return this.session(fn, options === undefined || isOptions(options) ? { begin: 'firstQuery', ...options } : options)
  }

  /** Runs a Drizzle query, which resolves with its own result, or an `sql` template, which resolves with `{ rows, rowCount, command }`. */
  execute<Result> (query: DrizzleQuery<Result>): Promise<Result>
  execute<Row = Record<string, unknown>> (statement: SQLWrapper): Promise<StatementResult<Row>>
  execute (statement: SQLWrapper): Promise<unknown> {
    return handled(this.host.drizzle.execute(this, statement))
  }

  /** Runs SQL that another library wrote, with values for `$1`, `$2`; it commits by itself. Without values it may hold several statements. */
  query<Row = Record<string, unknown>> (text: string, values?: readonly unknown[]): Promise<StatementResult<Row>> {
    return handled(plainQuery<Row>(this, text, values))
  }

  /** Runs one statement that commits by itself; repositories use it. */
  run<Row> (statement: Statement): Promise<StatementResult<Row>> {
    const lead = leadOf(this.#transaction, this.host.bypassesPolicies)
    // A text that may be several statements, or end the transaction that the context holds for, runs in a session.
    if (lead !== undefined && !mayFollow(statement)) return this.session((session) => session.run(statement))
    const result = handled(this.#autocommit(statement, lead) as Promise<StatementResult<Row>>)
    this.host.watch?.(statement, result)
    return result
  }

  async #autocommit (statement: Statement, lead: ContextLead | undefined): Promise<StatementResult<never>> {
    if (lead === undefined) return await runAutocommit(this.host, { caller: this.#named(), statement, lead })
    const refusal = lead.prepare()
    if (refusal !== undefined) throw refusal
    return await runAutocommit(this.host, { caller: this.#named(), statement: lead.named(statement), lead })
  }

  /** The rows of a read, over a connection of its own; `repo.stream()` uses it. */
  stream<Row> (statement: Statement, batchSize: number): RowSource<Row> {
    return new Streams(this.host, this.#named(), leadOf(this.#transaction, this.host.bypassesPolicies)).open(statement, { batchSize })
  }

  /**
   * The same database, in a context: each statement, stream, session and transaction of what it returns has it, unless the options of a
   * session give another. It shares the pool.
   *
   * @throws {UsageError} for something that is not a context
   * @example
   * ```ts
   * const rows = await database.withContext({ settings: { 'app.tenant_id': '42' } }).repo(users).filter()
   * ```
   */
  withContext (context: TransactionContext): DatabaseWork<Drizzle> {
    resolveContext(context)
    return new DatabaseWork<Drizzle>({ ...this.#base, transaction: { ...this.#base.transaction, context } })
  }

  #settingsWith (options: TransactionOptions | undefined): TransactionSettings {
    if (options === undefined) return this.#transaction
    checkAreOptions(options)
    return resolveTransactionOptions({ ...this.#base.transaction, ...options })
  }
}
