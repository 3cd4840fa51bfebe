import { Shutdown } from './shutdown.js'
import { CallSites } from '../statement/call-site.js'
import { HealthCheck } from './health-check.js'
import { ConnectionPool } from '../pool/connection-pool.js'
import { Repositories } from '../repository/repository-factory.js'
import { UsageError } from '../errors/errors.js'
import { runAutocommit } from '../session/transaction/autocommit.js'
import { mustBeFunction } from '../errors/check-call.js'
import { currentScope } from '../session/scope.js'
import { DrizzleBinding } from '../drizzle/queries/drizzle-binding.js'
import { handled } from '../runtime/promises.js'
import { environmentPrefix } from '../settings/database-name.js'
import { checkAreOptions, resolveTransactionOptions } from '../settings/transaction-options.js'
import { plainQuery } from '../session/plain-query.js'
import { retrying } from '../session/retry.js'
import { Replicas } from '../replicas/replicas.js'
import { Session } from '../session/session.js'
import { Streams } from '../session/row-stream.js'
import { isOptions } from '../runtime/option-checks.js'
import { askPool } from './ask-pool.js'
import { listen, type ListenOptions, type Subscription } from '../listen/listen.js'
import { Listening, listenSource } from '../listen/listening.js'
import { reach } from './startup.js'
import type { SQLWrapper } from 'drizzle-orm'
import type { ClientConfig, Pool as PgPool } from 'pg'
import type { Notification } from '../listen/listener.js'
import type { Caller } from '../statement/caller.js'
import type { ConstraintMap } from '../errors/constraint-words.js'
import type { CheckOptions, DatabaseInfo, Health } from './health-check.js'
import type { PoolInfo } from '../pool/pool-info.js'
import type { ReplicaInfo } from '../replicas/replica.js'
import type { RepositoryOf, RepositorySource } from '../repository/repository.js'
import type { DrizzleDatabase } from '../drizzle/types/drizzle-database.js'
import type { SessionContext } from '../session/transaction/session-context.js'
import type { TransactionOptions, TransactionSettings } from '../settings/transaction-options.js'
import type { DrizzleQuery, RowSource, Statement, StatementResult, StatementRunner } from '../statement/statement.js'
import type { Settings } from '../settings/settings.js'

/** The parts of a database, besides its settings. */
export interface DatabaseParts {
  readonly transaction?: TransactionOptions | undefined
  readonly constraints?: ConstraintMap | undefined
  /** Whether closing the database ends the pool: not if other code made it. */
  readonly ownsPool?: boolean | undefined
}

/** A PostgreSQL database behind a pool: sessions, repositories, Drizzle, health. */
export class Database<Drizzle = DrizzleDatabase> implements StatementRunner {
  readonly pool: PgPool
  readonly #settings: Settings
  readonly #connections: ConnectionPool
  readonly #parts: DatabaseParts
  readonly #transaction: TransactionSettings
  readonly #context: SessionContext
  readonly #health: HealthCheck
  readonly #callSites = new CallSites()
  readonly #replicas: Replicas | undefined
  readonly #shutdown: Shutdown
  readonly #listening: Listening
  #drizzle: Drizzle | undefined

  /** @throws {UsageError} without a pool and settings: {@link openDatabase} makes them */
  constructor (pool: PgPool, settings: Settings, parts: DatabaseParts = {}) {
    const given: unknown = parts
    // The types rule this out; JavaScript and casts do not.
    if (Object(pool).options === undefined || Object(settings).pool === undefined || !isOptions(given)) {
      throw new UsageError('A database is not made by "new": await openDatabase(options) gives it, and server.db')
    }
    this.pool = pool
    this.#settings = settings
    this.#parts = parts
    this.#transaction = resolveTransactionOptions(parts.transaction ?? {})
    this.#connections = new ConnectionPool(pool, settings)
    this.#health = new HealthCheck({ connection: pool.options, pool: this.#connections, ask: (question, timeoutMillis) => askPool(this.#connections, { question, caller: this.caller, timeoutMillis }) })
    this.#replicas = settings.replicas && new Replicas(settings, pool.options, settings.replicas)
    this.#listening = new Listening(listenSource(settings, pool))
    this.#shutdown = new Shutdown({ connections: this.#connections, replicas: this.#replicas, health: this.#health, listening: this.#listening, settings, ownsPool: parts.ownsPool === true })
    this.#context = {
      pool: this.#connections,
      replicas: this.#replicas,
      repositories: new Repositories({ casing: settings.casing, schema: settings.schema, relations: settings.relations, ...settings.repository }),
      drizzle: new DrizzleBinding(settings),
      constraints: parts.constraints,
      scopeTimeoutMillis: settings.pool.timeoutMillis,
      track: (work) => this.#shutdown.track(work),
      watch: undefined
    }
  }

  /** Resolves when the server has answered. @throws {ConnectionError} with the fix, if it does not answer in time */
  async start (): Promise<void> {
    await reach(this.#connections, this.#settings)
    this.#replicas?.start()
  }

  /** A real Drizzle database over the pool. Each query commits by itself; `.transaction()` is {@link Database.transaction}. */
  get drizzle (): Drizzle {
    this.#drizzle ??= this.#context.drizzle.bind<Drizzle>(this)
    return this.#drizzle
  }

  /** A repository for a table, or an instance of a repository class, each call of which commits by itself. */
  repo<Source extends RepositorySource> (source: Source): RepositoryOf<Source> {
    return this.#context.repositories.create(this, source)
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
    const settings = this.#transactionSettings(options)
    const { logger } = this.#settings
    return await retrying(() => this.#attempt(fn, settings), { retries: settings.retries, logger })
  }

  async #attempt<Result> (fn: (session: Session<Drizzle>) => Result | Promise<Result>, settings: TransactionSettings): Promise<Result> {
    const session = this.lend(settings)
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
    return this.lend(this.#transactionSettings(options))
  }

  /** A session for a caller that a Fastify plugin has named, with checked settings. */
  lend (settings: TransactionSettings, caller?: Caller): Session<Drizzle> {
    return new Session<Drizzle>(this.#context, settings, this.#named(caller))
  }

  /** @internal The caller for whom it takes connections by default. */
  get caller (): Caller { return { logger: this.#settings.logger, label: 'database', callSite: undefined, within: undefined } }

  /** A caller, with its call site and its outer caller for the log. */
  #named (caller: Caller = this.caller): Caller {
    caller.callSite = this.#callSites.here()
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
    return handled(this.#context.drizzle.execute(this, statement))
  }

  /** Runs SQL that another library wrote, with values for `$1`, `$2`; it commits by itself. Without values it may hold several statements. */
  query<Row = Record<string, unknown>> (text: string, values?: readonly unknown[]): Promise<StatementResult<Row>> {
    return handled(plainQuery<Row>(this, text, values))
  }

  /** Runs one statement that commits by itself; repositories use it. */
  run<Row> (statement: Statement): Promise<StatementResult<Row>> {
    const result = handled(runAutocommit(this.#context, this.#named(), statement) as Promise<StatementResult<Row>>)
    this.#context.watch?.(statement, result)
    return result
  }

  /** The rows of a read, over a connection of its own; `repo.stream()` uses it. */
  stream<Row> (statement: Statement, batchSize: number): RowSource<Row> {
    return new Streams(this.#context, this.#named()).open(statement, { batchSize })
  }

  /** Checks the database over a connection of its own. A failure of the database does not reject. @throws {UsageError} for invalid options */
  checkHealth (options?: CheckOptions): Promise<Health> {
    return this.#health.check(options)
  }

  /** Makes the database unready as long as the function resolves with a reason, for example pending migrations. The function must not reject. */
  awaits (reason: () => Promise<string | undefined>): void {
    this.#health.awaits(reason)
  }

  /** The server's version, its connections to this database, and the counts of the pool. @throws {ConnectionError} if it does not answer */
  getInfo (): Promise<DatabaseInfo> {
    return this.#health.getInfo()
  }

  /** @internal The configuration of clients that need a session; undefined if the pool's is used. */
  get directConnection (): ClientConfig | undefined { return this.#settings.directConnection }

  /** @internal The variable of that configuration. */
  get directVariable (): string { return `${environmentPrefix(this.#settings.name)}DATABASE_DIRECT_URL` }

  /** The counts of the pool, without a query. */
  get poolInfo (): PoolInfo { return this.#connections.info }

  /** Each replica: whether it serves, how old its rows may be, and the counts of its pool, in the order of their URLs. */
  get replicas (): readonly ReplicaInfo[] { return this.#replicas?.info ?? [] }

  /**
   * Calls a function for each notification of a channel, one after the other, in the order of PostgreSQL. All listeners share one connection beside the pool,
   * to `DATABASE_DIRECT_URL` if it is set. It is asked for life signs, opened again when it is lost, and does not keep the process alive.
   *
   * Resolves when PostgreSQL listens. Errors of `handler` and `onGap` are logged. The name counts as it is written: SQL folds `NOTIFY Orders` to `orders`.
   *
   * @param channel 1 to 63 bytes
   * @throws {SettingsError} if a pooler answers, and `DATABASE_DIRECT_URL` is not set
   * @throws {ConnectionError} if the server does not answer
   * @throws {UsageError} for a channel, a handler or an option that cannot be used
   * @example
   * ```ts
   * const subscription = await database.listen('orders', ({ payload }) => cache.delete(payload), { onGap: () => cache.clear() })
   * await subscription.close()
   * ```
   */
  listen (channel: string, handler: (notification: Notification) => unknown, options: ListenOptions = {}): Promise<Subscription> {
    return listen(this.#listening, channel, { handler, options, logger: this.#settings.logger, track: (work) => this.#shutdown.track(work) })
  }

  /** Starts the time limit of {@link Database.close}; work goes on, for a server that still answers requests before it closes. */
  drain (): void { this.#shutdown.begin() }

  /**
   * Waits for running work, including callbacks after a commit, then ends the pool, together with everything that still runs after
   * `drainTimeoutSeconds`. Resolves with whether everything could finish; a second call returns the same promise.
   */
  close (): Promise<boolean> {
    const left = this.#context.pool.leave?.()
    return left === undefined ? this.#shutdown.finish() : left.then(() => this.#shutdown.finish())
  }

  /** The context of its sessions, for the testing kit, which runs between them and the pool. */
  get host (): SessionContext { return this.#context }

  #transactionSettings (options: TransactionOptions | undefined): TransactionSettings {
    if (options === undefined) return this.#transaction
    checkAreOptions(options)
    return resolveTransactionOptions({ ...this.#parts.transaction, ...options })
  }
}
