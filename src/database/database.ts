import { Shutdown } from './shutdown.js'
import { CallSites } from '../statement/call-site.js'
import { HealthCheck } from './health-check.js'
import { ConnectionPool } from '../pool/connection-pool.js'
import { Repositories } from '../repository/repository-factory.js'
import { UsageError } from '../errors/errors.js'
import { caseExplainer } from '../drizzle/missing-name.js'
import { DrizzleBinding } from '../drizzle/queries/drizzle-binding.js'
import { Replicas } from '../replicas/replicas.js'
import { isOptions } from '../runtime/option-checks.js'
import { askPool } from './ask-pool.js'
import { listen, type ListenOptions, type Subscription } from '../listen/listen.js'
import { Listening, listenSource } from '../listen/listening.js'
import { reach } from './startup.js'
import { callerOf, DatabaseWork } from './database-work.js'
import { policyCheckOf } from './policy-check.js'
import { warnOfUnknownConstraints } from './constraint-check.js'
import type { ClientConfig, Pool as PgPool } from 'pg'
import type { Notification } from '../listen/listener.js'
import type { ConstraintMap } from '../errors/constraint-words.js'
import type { CheckOptions, DatabaseInfo, Health } from './health-check.js'
import type { PolicyCheck } from './policy-check.js'
import type { PoolInfo } from '../channels/pool-info.js'
import type { ReplicaInfo } from '../replicas/replica.js'
import type { DrizzleDatabase } from '../drizzle/types/drizzle-database.js'
import type { TransactionOptions } from '../settings/transaction-options.js'
import type { Settings } from '../settings/settings.js'

/** The parts of a database, besides its settings. */
export interface DatabaseParts {
  readonly transaction?: TransactionOptions | undefined
  readonly constraints?: ConstraintMap | undefined
  /** Whether closing the database ends the pool: not if other code made it. */
  readonly ownsPool?: boolean | undefined
  /** Whether a function gives the context of each request, so that its role is not known before. */
  readonly hasContextFunction?: boolean | undefined
}

/** A PostgreSQL database behind a pool: sessions, repositories, Drizzle, health. */
export class Database<Drizzle = DrizzleDatabase> extends DatabaseWork<Drizzle> {
  readonly pool: PgPool
  readonly #settings: Settings
  readonly #connections: ConnectionPool
  readonly #health: HealthCheck
  readonly #replicas: Replicas | undefined
  readonly #shutdown: Shutdown
  readonly #listening: Listening
  readonly #policies: PolicyCheck | undefined
  readonly #constraints: ConstraintMap | undefined

  /** @throws {UsageError} without a pool and settings: {@link openDatabase} makes them */
  constructor (pool: PgPool, settings: Settings, parts: DatabaseParts = {}) {
    const given: unknown = parts
    // The types rule this out; JavaScript and casts do not.
    if (Object(pool).options === undefined || Object(settings).pool === undefined || !isOptions(given)) {
      throw new UsageError('A database is not made by "new": await openDatabase(options) gives it, and server.db')
    }
    const { transaction = {}, constraints, ownsPool = false, hasContextFunction = false } = parts
    const connections = new ConnectionPool(pool, settings)
    const replicas = settings.replicas && new Replicas(settings, pool.options, settings.replicas)
    const health = new HealthCheck({ connection: pool.options, pool: connections, ask: (question, timeoutMillis) => askPool(connections, { question, caller: callerOf(settings), timeoutMillis }) })
    const listening = new Listening(listenSource(settings, pool))
    const shutdown = new Shutdown({ connections, replicas, health, listening, settings, ownsPool })
    const policies = policyCheckOf(transaction, { hasContextFunction, settings, caller: callerOf(settings) })
    super({
      host: {
        place: connections.channels.place,
        pool: connections,
        replicas,
        repositories: new Repositories({ casing: settings.casing, schema: settings.schema, relations: settings.relations, ...settings.repository }),
        drizzle: new DrizzleBinding(settings),
        words: { constraints, explain: caseExplainer(settings.casing) },
        bypassesPolicies: false,
        scopeTimeoutMillis: settings.pool.timeoutMillis,
        track: (work) => shutdown.track(work),
        watch: undefined
      },
      logger: settings.logger,
      callSites: new CallSites(),
      transaction
    })
    this.pool = pool
    this.#settings = settings
    this.#connections = connections
    this.#health = health
    this.#replicas = replicas
    this.#listening = listening
    this.#shutdown = shutdown
    this.#policies = policies
    this.#constraints = constraints
  }

  /**
   * Resolves when the server has answered.
   *
   * @throws {ConnectionError} with the fix, if it does not answer in time
   * @throws {SettingsError} with `contextRequired`, for a database user who bypasses the policies of a table
   */
  async start (): Promise<void> {
    await reach(this.#connections, this.#settings)
    await this.checkPolicies()
    this.#replicas?.start()
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

  /** @internal The name that its variables begin with. */
  get name (): string { return this.#settings.name }

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
    const left = this.host.pool.leave?.()
    return left === undefined ? this.#shutdown.finish() : left.then(() => this.#shutdown.finish())
  }

  /** @internal With `contextRequired`: finds out whether policies hold for the database user. @throws {SettingsError} if they do not, and no role is set */
  async checkPolicies (): Promise<void> {
    if (this.#policies !== undefined) this.host.bypassesPolicies = await this.#policies(this.#connections)
  }

  /** @internal Warns of names in `errors.constraints` that no constraint has. */
  checkConstraints (): Promise<void> {
    const source = { pool: this.#connections, caller: callerOf(this.#settings), obstacle: () => this.#health.obstacle() }
    return warnOfUnknownConstraints(this.#constraints ?? {}, this.#settings, source)
  }
}
