/**
 * Checks whether the database can serve, over a connection of its own, so that the result does not depend on the pool's queue. Where
 * no more connections are allowed, a connection of the pool takes its place.
 *
 * Three checks run in parallel, within one time limit. PostgreSQL does not answer: down. The pool passes on no connection:
 * saturated. A reason registered with `awaits()` remains: pending.
 */
import { DatabaseError as PostgresError } from 'pg'
import { codeOf } from '../pg/error-code.js'
import { HostsError } from '../pg/hosts.js'
import { isFull } from '../pooler/pooler-refusal.js'
import type { ClientConfig, QueryResultRow } from 'pg'
import { HealthConnection, NoAnswer } from './health-connection.js'
import { ConnectionError } from '../errors/errors.js'
import { within } from '../runtime/promises.js'
import { checkCall } from '../errors/check-call.js'
import type { OptionChecks } from '../runtime/option-checks.js'
import type { PoolInfo } from '../channels/pool-info.js'

/**
 * `up`: it serves. `saturated`: PostgreSQL answers, but no connection is free. `pending`: migrations are not applied yet.
 * `down`: no answer. `closing`: the database is being closed.
 */
export type HealthStatus = 'up' | 'saturated' | 'pending' | 'down' | 'closing'

/** The result of a check. */
export interface Health {
  /** Whether the status is `up`. */
  readonly healthy: boolean
  readonly status: HealthStatus
  /** How long PostgreSQL took to answer, or to fail, in milliseconds. */
  readonly latencyMillis: number
  /** When the check began. */
  readonly timestamp: Date
  /** `PostgreSQL 18.0`, when it answered. */
  readonly version?: string
  /** Whether the server refuses writes, when it answered: it is a standby, or `default_transaction_read_only` is set. It may be healthy. */
  readonly readOnly?: boolean
  /** Why it is not healthy, without a host, user or URL. */
  readonly error?: string
}

/** How fresh a result must be, and how long the check may take. */
export interface CheckOptions {
  /**
   * The longest time that the check may take, in milliseconds.
   * @defaultValue `1000`
   */
  readonly timeoutMillis?: number | undefined
  /**
   * A result that is not older than this, in milliseconds, is reused. Calls during a check always share its result.
   * @defaultValue `0`
   */
  readonly maxAgeMillis?: number | undefined
}

/** Client connections to this database, of all its users, without the one that counts them. */
export interface ConnectionCounts {
  readonly active: number
  readonly idle: number
  readonly idleInTransaction: number
  readonly waitingForLock: number
  /** All of them. PostgreSQL shows the state of other users' connections only to members of `pg_read_all_stats`. */
  readonly total: number
  /** The server's `max_connections`. */
  readonly max: number
}

/** The server, its connections to this database, and our pool. */
export interface DatabaseInfo {
  /** `PostgreSQL 18.0` */
  readonly version: string
  readonly connections: ConnectionCounts
  readonly pool: PoolInfo
}

/** The parts of a database that a health check needs. */
export interface HealthSource {
  readonly connection: ClientConfig
  /** Runs a query that returns one row over a connection of the pool. */
  readonly ask?: <Row extends QueryResultRow>(question: string, timeoutMillis: number) => Promise<Row>
  readonly pool: {
    readonly info: PoolInfo
    /** Resolves with whether a connection was free, or was passed on, in time. */
    breathes (timeoutMillis: number): Promise<boolean>
  }
}

const version = "'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1) as version"
const probe = `select ${version}, current_setting('transaction_read_only')::boolean as "readOnly"`
const count = `select ${version}, current_setting('max_connections')::int as max, count(*)::int as total,
  (count(*) filter (where state = 'active'))::int as active,
  (count(*) filter (where state = 'idle'))::int as idle,
  (count(*) filter (where state like 'idle in transaction%'))::int as "idleInTransaction",
  (count(*) filter (where wait_event_type = 'Lock'))::int as "waitingForLock"
from pg_stat_activity where datname = current_database() and coalesce(backend_type, 'client backend') = 'client backend'
  and usename is not null and pid <> pg_backend_pid()`

/** Checks a database. It opens no connection before the first check. */
export class HealthCheck {
  readonly #source: HealthSource
  readonly #connection: HealthConnection
  #running: Promise<Health> | undefined
  #last: { readonly health: Health, readonly at: number } | undefined
  #awaited: (() => Promise<string | undefined>) | undefined

  /** `idleMillis`: how long the connection is kept for the next check. */
  constructor (source: HealthSource, { idleMillis = 30_000 }: { idleMillis?: number } = {}) {
    this.#source = source
    this.#connection = new HealthConnection(source.connection, idleMillis)
  }

  /** Checks the database. Rejects for invalid options, never for a failure of the database. */
  async check (options: CheckOptions = {}): Promise<Health> {
    checkCall('checkHealth()', options, known)
    const { timeoutMillis = 1000, maxAgeMillis = 0 } = options
    if (this.#connection.isClosed) return leaving()
    if (this.#last !== undefined && performance.now() - this.#last.at < maxAgeMillis) return this.#last.health
    this.#running ??= this.#measure(timeoutMillis).finally(() => { this.#running = undefined })
    return await this.#running
  }

  /** Makes the database unready as long as the function resolves with a reason. The function must not reject. */
  awaits (reason: () => Promise<string | undefined>): void {
    this.#awaited = reason
  }

  /** The reason why the database is not ready although it answers; undefined if it is. */
  async obstacle (): Promise<string | undefined> {
    return await this.#awaited?.()
  }

  /**
   * The server's version, its connections to this database, and the counts of our pool.
   *
   * @throws {ConnectionError} when there is no answer within the time limit.
   */
  async getInfo ({ timeoutMillis = 1000 }: { timeoutMillis?: number } = {}): Promise<DatabaseInfo> {
    try {
      const { version, ...connections } = await this.#ask<ConnectionCounts & { version: string }>(count, timeoutMillis)
      return { version, connections, pool: this.#source.pool.info }
    } catch (cause) {
      throw new ConnectionError(undefined, { cause })
    }
  }

  /** Ends the connection, and running checks with it. Later checks result in `closing`. */
  close (): Promise<void> {
    return this.#connection.close()
  }

  async #measure (timeoutMillis: number): Promise<Health> {
    const timestamp = new Date()
    const started = performance.now()
    const latency = (): number => Math.round((performance.now() - started) * 1000) / 1000
    const breath = this.#source.pool.breathes(timeoutMillis)
    const missing = this.#findMissing(timeoutMillis)
    let health: Health
    try {
      const { version, readOnly } = await this.#ask<{ version: string, readOnly: boolean }>(probe, timeoutMillis)
      const answered = { latencyMillis: latency(), timestamp, version, readOnly }
      const [breathes, reason] = await Promise.all([breath, missing])
      const busy = `no connection of the pool came free within ${timeoutMillis} ms`
      if (!breathes) health = { healthy: false, status: 'saturated', ...answered, error: busy }
      else if (reason !== undefined) health = { healthy: false, status: 'pending', ...answered, error: reason }
      else health = { healthy: true, status: 'up', ...answered }
    } catch (error) {
      const status = isFull(error) ? 'saturated' : 'down'
      health = { healthy: false, status, latencyMillis: latency(), timestamp, error: describe(error) }
    }
    if (this.#connection.isClosed) return leaving()
    this.#last = { health, at: performance.now() }
    return health
  }

  /** Asks over a connection of its own, or, where the server or a pooler allows no more, over one of the pool. */
  async #ask<Row extends QueryResultRow> (question: string, timeoutMillis: number): Promise<Row> {
    const deadline = performance.now() + timeoutMillis
    try {
      return await this.#connection.ask<Row>(question, timeoutMillis)
    } catch (error) {
      const { ask } = this.#source
      if (ask === undefined || !isFull(error)) throw error
      return await ask<Row>(question, deadline - performance.now()).catch(() => { throw error })
    }
  }

  /** The reason why the database is not ready although it answers; a check that takes too long is a reason, too. */
  async #findMissing (timeoutMillis: number): Promise<string | undefined> {
    let reason: string | undefined
    if (this.#awaited === undefined) return reason
    reason = 'what the server waits for could not be checked in time'
    await within(timeoutMillis, this.#awaited().then((answer) => { reason = answer }))
    return reason
  }
}

const time = [(value: unknown) => typeof value === 'number' && value >= 0, 'must be a number of milliseconds, 0 or more'] as const
const known: OptionChecks<CheckOptions> = { timeoutMillis: time, maxAgeMillis: time }

/** The result once the database begins to close. */
export function leaving (): Health {
  return { healthy: false, status: 'closing', latencyMillis: 0, timestamp: new Date(), error: 'the database is being closed' }
}

const words: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'connection lost'],
  ['ENOTFOUND', 'host not found'],
  ['EAI_AGAIN', 'host not found']
])

/** The reason of a failure, without the error's own text, which may name hosts, users and databases. */
function describe (error: unknown): string {
  if (error instanceof NoAnswer || error instanceof HostsError) return error.message
  const code = codeOf(error)
  if (code === undefined) return 'connection lost'
  if (error instanceof PostgresError) return `PostgreSQL answered ${code}`
  return `${words.get(code) ?? 'connection failed'} (${code})`
}
