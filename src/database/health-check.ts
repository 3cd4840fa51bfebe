/**
 * Whether the database can serve: asked over a connection of its own, so that no queue of traffic decides the answer.
 *
 * Three questions run side by side, within one time limit. Does PostgreSQL answer? Not so: down. Does the pool still pass its
 * connections on? Not so: saturated. Has everything come that the server waits for? Not so: pending. The process must live through every answer, and a silent socket is never waited for.
 */
import { Client, DatabaseError as PostgresError } from 'pg'
import type { ClientConfig, QueryResult, QueryResultRow } from 'pg'
import { destroySocket, holdProcess } from '../pg/client.js'
import { within } from '../runtime/within.js'
import { ConnectionError } from '../errors/errors.js'
import { ignore } from '../runtime/promises.js'
import { checkCall } from '../errors/check-call.js'
import type { CallOptions } from '../runtime/call-options.js'
import type { PoolInfo } from '../pool/pool-info.js'

/** `up`: serves. `saturated`: PostgreSQL answers, and has no connection left for us. `pending`: migrations are not applied yet. `down`: no answer. `closing`: we are leaving. */
export type HealthStatus = 'up' | 'saturated' | 'pending' | 'down' | 'closing'

/** What a check came to. */
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
  /** Why it is not healthy, in words that hold no host, user or URL. */
  readonly error?: string
}

/** How fresh an answer must be, and how long it may take. */
export interface CheckOptions {
  /**
   * The longest time that the check may take, in milliseconds.
   * @defaultValue `1000`
   */
  readonly timeoutMillis?: number | undefined
  /**
   * An answer not older than this, in milliseconds, is good enough. Whoever asks while a check runs shares its answer in any case.
   * @defaultValue `0`
   */
  readonly maxAgeMillis?: number | undefined
}

/** Client connections to this database, of all its users, without the one that counts. */
export interface ConnectionCounts {
  readonly active: number
  readonly idle: number
  readonly idleInTransaction: number
  readonly waitingForLock: number
  /** All of them. PostgreSQL tells what other users' connections do only to members of `pg_read_all_stats`. */
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

/** What a health check has to know of a database. */
export interface HealthSource {
  readonly connection: ClientConfig
  readonly pool: {
    readonly info: PoolInfo
    /** Resolves with whether a connection was free, or was passed on, within the time. */
    breathes (timeoutMillis: number): Promise<boolean>
  }
}

const version = "'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1) as version"
const probe = `select ${version}`
const count = `select ${version}, current_setting('max_connections')::int as max, count(*)::int as total,
  (count(*) filter (where state = 'active'))::int as active,
  (count(*) filter (where state = 'idle'))::int as idle,
  (count(*) filter (where state like 'idle in transaction%'))::int as "idleInTransaction",
  (count(*) filter (where wait_event_type = 'Lock'))::int as "waitingForLock"
from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`

/** How long a connection may take to say goodbye before it is cut, in milliseconds. */
const farewellMillis = 500

/** SQLSTATE too_many_connections: PostgreSQL is there, and full. */
const tooManyConnections = '53300'

/** Asks a database how it is. Opens nothing before the first question. */
export class HealthCheck {
  readonly #source: HealthSource
  readonly #idleMillis: number
  readonly #busy = new Set<Client>()
  #kept: Client | undefined
  #idleTimer: NodeJS.Timeout | undefined
  #running: Promise<Health> | undefined
  #last: { readonly health: Health, readonly at: number } | undefined
  #closed = false
  #awaited: (() => Promise<string | undefined>) | undefined

  /** `idleMillis` is how long the connection is kept for the next question. */
  constructor (source: HealthSource, { idleMillis = 30_000 }: { idleMillis?: number } = {}) {
    this.#source = source
    this.#idleMillis = idleMillis
  }

  /** How the database is. Rejects for options that cannot be, never for what the database does. */
  async check (options: CheckOptions = {}): Promise<Health> {
    checkCall('checkHealth()', options, known)
    const { timeoutMillis = 1000, maxAgeMillis = 0 } = options
    if (this.#closed) return leaving()
    if (this.#last !== undefined && performance.now() - this.#last.at < maxAgeMillis) return this.#last.health
    this.#running ??= this.#measure(timeoutMillis).finally(() => { this.#running = undefined })
    return await this.#running
  }

  /** Asks this, too, from now on: the answer is why the database is not ready, or undefined. */
  awaits (reason: () => Promise<string | undefined>): void {
    this.#awaited = reason
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

  /** Ends the connection, questions under way included. Later checks answer `closing`. */
  async close (): Promise<void> {
    this.#closed = true
    for (const client of this.#busy) destroySocket(client)
    await this.#dismiss()
  }

  async #measure (timeoutMillis: number): Promise<Health> {
    const timestamp = new Date()
    const started = performance.now()
    const latency = (): number => Math.round((performance.now() - started) * 1000) / 1000
    const breath = this.#source.pool.breathes(timeoutMillis)
    const missing = this.#findMissing(timeoutMillis)
    let health: Health
    try {
      const { version } = await this.#ask<{ version: string }>(probe, timeoutMillis)
      const answered = { latencyMillis: latency(), timestamp, version }
      const [breathes, reason] = await Promise.all([breath, missing])
      if (!breathes) health = { healthy: false, status: 'saturated', ...answered, error: `no connection of the pool came free within ${timeoutMillis} ms` }
      else if (reason !== undefined) health = { healthy: false, status: 'pending', ...answered, error: reason }
      else health = { healthy: true, status: 'up', ...answered }
    } catch (error) {
      const status = codeOf(error) === tooManyConnections ? 'saturated' : 'down'
      health = { healthy: false, status, latencyMillis: latency(), timestamp, error: describe(error) }
    }
    if (this.#closed) return leaving()
    this.#last = { health, at: performance.now() }
    return health
  }

  /** Why the database is not ready although it answers; that there was no time to find out is a reason, too. */
  async #findMissing (timeoutMillis: number): Promise<string | undefined> {
    let reason: string | undefined
    if (this.#awaited === undefined) return reason
    reason = 'what the server waits for could not be checked in time'
    await within(timeoutMillis, this.#awaited().then((answer) => { reason = answer }))
    return reason
  }

  async #ask<Row extends QueryResultRow> (text: string, timeoutMillis: number): Promise<Row> {
    if (this.#closed) throw new ConnectionError('The database was closed')
    const deadline = { timeoutMillis, at: performance.now() + timeoutMillis }
    const kept = this.#takeKept()
    if (kept !== undefined) {
      try {
        return await this.#run(kept, () => kept.query<Row>(text), deadline)
      } catch (error) {
        // It may have died while it stood idle, unnoticed till now: a new one will tell. After a silence the time is up.
        if (error instanceof NoAnswer) throw error
      }
    }
    const client = this.#newClient()
    return await this.#run(client, () => client.connect().then(() => client.query<Row>(text)), deadline)
  }

  async #run<Row extends QueryResultRow> (client: Client, question: () => Promise<QueryResult<Row>>, { timeoutMillis, at }: Deadline): Promise<Row> {
    let late = false
    const timer = setTimeout(() => { late = true; destroySocket(client) }, Math.max(at - performance.now(), 1))
    this.#busy.add(client)
    try {
      const { rows } = await question().finally(() => { this.#busy.delete(client); clearTimeout(timer) })
      this.#keep(client)
      // Both questions are answered by exactly one row.
      const [row] = rows as [Row]
      return row
    } catch (error) {
      destroySocket(client)
      throw late ? new NoAnswer(`no answer within ${timeoutMillis} ms`) : error
    }
  }

  #newClient (): Client {
    const client = new Client(this.#source.connection)
    // Without a listener a connection that is lost while it stands idle would end the process.
    client.on('error', ignore)
    client.once('end', () => { if (this.#kept === client) this.#takeKept() })
    return client
  }

  #keep (client: Client): void {
    // Two questions at a time are rare; one connection is enough to keep.
    const surplus = this.#takeKept()
    if (surplus !== undefined) part(surplus)
    // Kept for the next question, it must not keep the process.
    holdProcess(client, false)
    this.#kept = client
    this.#idleTimer = setTimeout(() => this.#dismiss(), this.#idleMillis).unref()
  }

  #takeKept (): Client | undefined {
    const kept = this.#kept
    if (kept !== undefined) holdProcess(kept, true)
    clearTimeout(this.#idleTimer)
    this.#kept = undefined
    return kept
  }

  async #dismiss (): Promise<void> {
    const kept = this.#takeKept()
    if (kept !== undefined) await part(kept)
  }
}

const time = [(value: unknown) => typeof value === 'number' && value >= 0, 'is a number of milliseconds, 0 or more'] as const
const known: CallOptions<CheckOptions> = { timeoutMillis: time, maxAgeMillis: time }

interface Deadline {
  readonly timeoutMillis: number
  /** On the clock of `performance.now()`. */
  readonly at: number
}

class NoAnswer extends Error {}

/** Ends a connection politely; one that does not answer is cut. */
async function part (client: Client): Promise<void> {
  const timer = setTimeout(() => destroySocket(client), farewellMillis)
  await client.end()
  clearTimeout(timer)
}

/** What is answered from the moment that the database begins to close. */
export function leaving (): Health {
  return { healthy: false, status: 'closing', latencyMillis: 0, timestamp: new Date(), error: 'the database is being closed' }
}

const words: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'connection lost'],
  ['ENOTFOUND', 'host not found'],
  ['EAI_AGAIN', 'host not found']
])

/** What went wrong, without the error's own text: that names hosts, users and databases. */
function describe (error: unknown): string {
  if (error instanceof NoAnswer) return error.message
  const code = codeOf(error)
  if (code === undefined) return 'connection lost'
  if (error instanceof PostgresError) return `PostgreSQL answered ${code}`
  return `${words.get(code) ?? 'connection failed'} (${code})`
}

/** The SQLSTATE, or Node's own name for what happened to a socket. */
function codeOf (error: unknown): string | undefined {
  const code: unknown = Object(error).code
  return typeof code === 'string' ? code : undefined
}
