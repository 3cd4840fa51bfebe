import { Pool } from 'pg'
import { Closing } from './shutdown.js'
import { CallSites } from '../statement/call-site.js'
import { HealthCheck } from './health-check.js'
import { ConnectionPool } from '../pool/connection-pool.js'
import { poolConfig } from '../pool/pool-config.js'
import { Repositories } from '../repository/repository-factory.js'
import { UsageError } from '../errors/errors.js'
import { runAutocommit } from '../session/autocommit.js'
import { mustBeFunction } from '../errors/check-call.js'
import { currentScope } from '../session/scope.js'
import { DrizzleBinding } from '../drizzle/queries/drizzle-session.js'
import { handled } from '../runtime/promises.js'
import { checkAreOptions, resolveTransactionOptions } from '../settings/transaction-options.js'
import { retrying } from '../session/retry.js'
import { Session } from '../session/session.js'
import { Streams } from '../session/row-stream.js'
import { resolveSettings } from '../settings/settings.js'
import { isOptions } from '../runtime/call-options.js'
import { checkErrorOptions } from '../settings/error-options.js'
import { limitsWithBegin } from '../settings/begin-limits.js'
import { reach } from './startup.js'
import type { SQLWrapper } from 'drizzle-orm'
import type { Pool as PgPool } from 'pg'
import type { Caller } from '../statement/caller.js'
import type { ConstraintMap } from '../errors/constraint-words.js'
import type { CheckOptions, DatabaseInfo, Health } from './health-check.js'
import type { PoolInfo } from '../pool/pool-info.js'
import type { RepositoryOf, RepositorySource } from '../repository/repository.js'
import type { DrizzleDatabase } from '../drizzle/queries/drizzle-session.js'
import type { SessionContext } from '../session/session-context.js'
import type { TransactionOptions, TransactionSettings } from '../settings/transaction-options.js'
import type { DrizzleQuery, RowSource, Statement, StatementResult, StatementRunner } from '../statement/statement.js'
import type { DatabaseOptions, Settings } from '../settings/settings.js'

/** What {@link openDatabase} takes. */
export interface OpenOptions extends DatabaseOptions {
  /** How transactions begin and how long they may take, unless a call says otherwise. */
  readonly transaction?: TransactionOptions | undefined
  readonly errors?: {
    /** Status, code and message for violations of the constraints named. */
    readonly constraints?: ConstraintMap | undefined
  } | undefined
}

/** What a database is made of, besides its settings. */
export interface DatabaseParts {
  readonly transaction?: TransactionOptions | undefined
  readonly constraints?: ConstraintMap | undefined
  /** Whether the pool ends with the database; not where somebody else made it. */
  readonly ownsPool?: boolean | undefined
}

/** A PostgreSQL database behind a pool: sessions, repositories, Drizzle, health. */
export class Database implements StatementRunner {
  readonly pool: PgPool
  readonly #settings: Settings
  readonly #connections: ConnectionPool
  readonly #parts: DatabaseParts
  readonly #transaction: TransactionSettings
  readonly #host: SessionContext
  readonly #health: HealthCheck
  readonly #callSites = new CallSites()
  readonly #closing: Closing
  #drizzle: DrizzleDatabase | undefined

  /** @throws {UsageError} for what is no pool and no settings: {@link openDatabase} makes them */
  constructor (pool: PgPool, settings: Settings, parts: DatabaseParts = {}) {
    const given: unknown = parts
    // What JavaScript, or a cast, gives instead.
    if ((pool as Partial<PgPool> | null | undefined)?.options === undefined || (settings as Partial<Settings> | null | undefined)?.pool === undefined || !isOptions(given)) {
      throw new UsageError('A database is not made by "new": await openDatabase(options) gives it, and server.db')
    }
    this.pool = pool
    this.#settings = settings
    this.#parts = parts
    this.#transaction = resolveTransactionOptions(parts.transaction ?? {})
    this.#connections = new ConnectionPool(pool, settings)
    this.#health = new HealthCheck({ connection: settings.connection ?? pool.options, pool: this.#connections })
    this.#closing = new Closing({ connections: this.#connections, health: this.#health, settings, ownsPool: parts.ownsPool === true })
    this.#host = {
      pool: this.#connections,
      repositories: new Repositories({ casing: settings.casing, schema: settings.schema, ...settings.repository }),
      drizzle: new DrizzleBinding(settings),
      constraints: parts.constraints,
      settings: limitsWithBegin(settings),
      scopeTimeoutMillis: settings.pool.timeoutMillis,
      track: (work) => this.#closing.track(work),
      watch: undefined
    }
  }

  /** Resolves when the server has answered. @throws {ConnectionError} that tells the way out when it does not in time */
  start (): Promise<void> {
    return reach(this.#connections, this.#settings)
  }

  /** A real Drizzle database over the pool. Each query commits by itself; `.transaction()` is {@link Database.transaction}. */
  get drizzle (): DrizzleDatabase {
    this.#drizzle ??= this.#host.drizzle.bind(this)
    return this.#drizzle
  }

  /** A repository for a table, or an instance of a repository class, each call of which commits by itself. */
  repo<Source extends RepositorySource> (source: Source): RepositoryOf<Source> {
    return this.#host.repositories.create(this, source)
  }

  /**
   * Runs a function with a session: commits when it resolves, unless it rolled back itself; rolls back when it throws; always gives the connection back.
   * With `retries` all of it is done again after a conflict.
   *
   * @example
   * ```ts
   * await database.session(async (session) => {
   *   const user = await session.repo(users).create({ name: 'Ada' })
   *   await session.repo(posts).create({ userId: user.id, title: 'Hello' })
   * })
   * ```
   */
  async session<Result> (fn: (session: Session) => Result | Promise<Result>, options?: TransactionOptions): Promise<Result> {
    const refusal = mustBeFunction(fn, 'session() or transaction()')
    if (refusal !== undefined) throw refusal
    const settings = this.#transactionSettings(options)
    const { logger } = this.#settings
    return await retrying(() => this.#attempt(fn, settings), { retries: settings.retries, logger })
  }

  async #attempt<Result> (fn: (session: Session) => Result | Promise<Result>, settings: TransactionSettings): Promise<Result> {
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
   * A session to be settled by hand; it holds no connection before its first statement.
   *
   * @throws {UsageError} for an option that does not exist or cannot have its value
   * @example
   * ```ts
   * await using session = database.createSession()
   * await session.repo(users).create({ name: 'Ada' })
   * await session.commit()
   * ```
   */
  createSession (options?: TransactionOptions): Session {
    return this.lend(this.#transactionSettings(options))
  }

  /** A session in somebody's name, for whoever knows more of its user than this class: the Fastify edge. */
  lend (settings: TransactionSettings, caller?: Caller): Session {
    return new Session(this.#host, settings, this.#named(caller))
  }

  /** @internal In whose name it takes connections, unless somebody else's is given. */
  get caller (): Caller { return { logger: this.#settings.logger, label: 'database', callSite: undefined, within: undefined } }

  /** One who takes a connection, with all that the log may want to tell. */
  #named (caller: Caller = this.caller): Caller {
    caller.callSite = this.#callSites.here()
    caller.within = currentScope()?.caller
    return caller
  }

  /** Runs a function in a transaction, which begins with its first statement: as {@link Database.session}, without reads outside. */
  transaction<Result> (fn: (session: Session) => Result | Promise<Result>, options?: TransactionOptions): Promise<Result> {
    // What is no object of options is handed on as it is, and refused there.
    return this.session(fn, options === undefined || isOptions(options) ? { begin: 'firstQuery', ...options } : options)
  }

  /** Runs a Drizzle query, which resolves with its own result, or an `sql` template, which resolves with `{ rows, rowCount, command }`. */
  execute<Result> (query: DrizzleQuery<Result>): Promise<Result>
  execute<Row = Record<string, unknown>> (statement: SQLWrapper): Promise<StatementResult<Row>>
  execute (statement: SQLWrapper): Promise<unknown> {
    return handled(this.#host.drizzle.execute(this, statement))
  }

  /** Runs one statement that commits by itself: what repositories stand on. */
  run<Row> (statement: Statement): Promise<StatementResult<Row>> {
    const answer = handled(runAutocommit(this.#host, this.#named(), statement) as Promise<StatementResult<Row>>)
    this.#host.watch?.(statement, answer)
    return answer
  }

  /** The rows of a read, over a connection of its own: what `repo.stream()` stands on. */
  stream<Row> (statement: Statement, batchSize: number): RowSource<Row> {
    return new Streams(this.#host, this.#named()).open(statement, { batchSize })
  }

  /** How the database is, asked over a connection of its own. Never rejects for what the database does. @throws {UsageError} for options that cannot be */
  checkHealth (options?: CheckOptions): Promise<Health> {
    return this.#health.check(options)
  }

  /** Makes the database unready as long as a question is answered with why it is: migrations that are pending, say. It must not reject. */
  awaits (reason: () => Promise<string | undefined>): void {
    this.#health.awaits(reason)
  }

  /** The server's version, its connections to this database, and the counts of the pool. @throws {ConnectionError} without an answer */
  getInfo (): Promise<DatabaseInfo> {
    return this.#health.getInfo()
  }

  /** Counts and waits of the pool, without asking the server. */
  get poolInfo (): PoolInfo { return this.#connections.info }

  /** Begins the time that {@link Database.close} grants, and lets everybody work on: for a server that still answers requests before it closes. */
  drain (): void { this.#closing.begin() }

  /**
   * Lets what is under way finish, callbacks after a commit included, then ends the pool; what still runs after
   * `drainTimeoutSeconds` is ended with it. A second call gets the same answer: whether everything could finish.
   */
  close (): Promise<boolean> {
    const left = this.#host.pool.leave?.()
    return left === undefined ? this.#closing.finish() : left.then(() => this.#closing.finish())
  }

  /** What its sessions share: for the testing kit, which stands between them and the pool. */
  get host (): SessionContext { return this.#host }

  #transactionSettings (options: TransactionOptions | undefined): TransactionSettings {
    if (options === undefined) return this.#transaction
    checkAreOptions(options)
    return resolveTransactionOptions({ ...this.#parts.transaction, ...options })
  }
}

/**
 * Opens a database; resolves when the server has answered.
 *
 * @throws {SettingsError} for a setting that does not exist or cannot be used, with its name
 * @throws {ConnectionError} when the server does not answer (wait for it with `waitForDatabaseSeconds`, or start without it with `degraded`)
 * @example
 * ```ts
 * const database = await openDatabase({ connectionString: 'postgresql://ada@localhost/shop' })
 * const user = await database.repo(users).get(1)
 * await database.close()
 * ```
 */
export async function openDatabase (options: OpenOptions = {}): Promise<Database> {
  const settings = resolveSettings(options)
  checkErrorOptions(options.errors)
  const pool = settings.pg ?? new Pool(poolConfig(settings))
  const database = new Database(pool, settings, {
    transaction: options.transaction,
    constraints: options.errors?.constraints,
    ownsPool: settings.pg === undefined
  })
  try {
    await database.start()
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}
