/**
 * The pool behind every session: pg's own, with what it lacks in front of it.
 *
 * pg-pool's queue has no bound and nobody can leave it, its `verify` sees new connections only, and its time-out error has no
 * code. So the line is kept here: no more are let through than the pool has places, and pg-pool itself makes nobody wait
 * (unless somebody uses the pool directly; the deadline holds for that, too).
 */
import type { Pool, PoolConfig } from 'pg'
import { extendConnection } from './connection-string.js'
import { Connection } from './connection/connection.js'
import { ExhaustionWarning } from './connection/exhaustion.js'
import { holdingOf, takenHoldingOf } from './connection/holding.js'
import { warnOfLeaks } from './connection/leak-warning.js'
import { jittered } from './connection/lifetime.js'
import { Loans } from './connection/loans.js'
import { OpenClients } from './connection/open-clients.js'
import { Places } from './connection/places.js'
import { followPool } from './connection/pool-events.js'
import { PooledClient } from './connection/pooled-client.js'
import { watchForSilence } from './connection/silence.js'
import { StatementLog } from './connection/statement-log.js'
import { Waiters } from './connection/waiters.js'
import type { ConnectionHome, Observed } from './connection/connection.js'
import type { Holding } from './connection/holding.js'
import type { Borrower, Waiter } from './connection/waiters.js'
import { ConnectionError, PoolTimeoutError } from './errors/errors.js'
import { ignore } from './handled.js'
import type { Statement } from './session/statement.js'
import type { Settings } from './settings.js'

/**
 * What pg's pool is made from, in the core and by `@fastify/postgres` alike.
 * Idle connections do not keep the process: a script that forgets to close its database ends all the same.
 */
export function poolConfig ({ connection = {}, pool }: Settings): PoolConfig {
  return extendConnection(connection, { min: pool.size, max: pool.max, maxLifetimeSeconds: jittered(pool.recycleSeconds), allowExitOnIdle: true })
}

/** How long a connection that stood idle may take to prove that it is alive, in milliseconds. */
const pingMillis = 2000

/** By how much timers of the same length may miss each other, in milliseconds. */
const timerSlackMillis = 5

/** How long PostgreSQL may take to hear that what runs is not wanted any more, in milliseconds. */
const cancelMillis = 500

/** One who asks for a connection; exactly one of the two is called, unless the wait is cancelled. */
export interface Applicant<Lent = Connection> {
  readonly borrower: Borrower
  /** Called with the connection in the moment it is handed over, so that it is never in nobody's hands. */
  readonly lend: (connection: Lent) => void
  readonly refuse: (error: Error) => void
}

/** What a session asks of a connection. */
export type LentConnection = Pick<Connection,
  'run' | 'send' | 'idle' | 'isIdle' | 'cancel' | 'release' | 'isReleased' | 'destroy' | 'status' | 'refusal' | 'readCommitted' | 'enterTransaction' | 'leaveTransaction'>

/** Where sessions take their connections: the pool, or what a test has put in front of it. */
export interface Lender {
  /** What the newest connection said of statements outside a transaction: whether they see what one inside would. */
  readonly readCommitted: boolean
  /** Whether a connection can be had without a wait. */
  readonly hasRoom: boolean
  acquire (applicant: Applicant<LentConnection>): Cancel
  connect (borrower: Borrower): Promise<LentConnection>
  /** Steps aside before the database is closed. */
  leave? (): Promise<void>
}

/** Stops waiting: the applicant is refused with the given error, or has its connection already and nothing happens. */
export type Cancel = (error: Error) => void

/** Counts and waits, as a load balancer or a dashboard wants them. */
export interface PoolInfo {
  /** Connections kept when idle. */
  readonly size: number
  /** Connections at most. */
  readonly max: number
  /** Connections open now. */
  readonly total: number
  readonly idle: number
  readonly inUse: number
  /** Requests that wait for a connection. */
  readonly waiting: number
}

export class ConnectionPool implements ConnectionHome, Lender {
  readonly pool: Pool
  readonly #settings: Settings
  readonly #waiters: Waiters
  readonly #places: Places
  readonly #loans = new Loans()
  readonly #log: StatementLog
  readonly #clients = new OpenClients()
  readonly #exhaustion: ExhaustionWarning
  readonly #unfollow: () => void
  readonly #cancels: Array<Promise<void>> = []
  #ended = false
  #readCommitted = true

  constructor (pool: Pool, settings: Settings) {
    this.pool = pool
    this.#settings = settings
    this.#log = new StatementLog(settings)
    this.#waiters = new Waiters(settings.pool.timeoutMillis, (waiters) => this.#refuse(waiters, new PoolTimeoutError()))
    this.#places = new Places(settings.pool.max)
    this.#unfollow = followPool(pool, { settings, clients: this.#clients, info: () => this.info })
    this.#exhaustion = new ExhaustionWarning(settings, { loans: this.#loans, holdings: () => this.#holdings, waiting: () => this.info.waiting })
    warnOfLeaks(this.#loans, this.#clients, settings)
    watchForSilence(this.#loans, settings)
  }

  /** Asks for a connection that is alive; refuses with `PoolTimeoutError` or `ConnectionError`. */
  acquire ({ borrower, lend, refuse }: Applicant): Cancel {
    const { isFree } = this.#places
    if (this.#ended) refuse(new ConnectionError('The database was closed'))
    else if (!isFree && this.#waiters.inLine >= this.#settings.pool.maxWaiting) refuse(new PoolTimeoutError())
    else {
      const waiter = this.#waiters.add(borrower, lend, refuse)
      if (isFree) {
        this.#places.take()
        this.#checkOut(waiter)
      } else {
        this.#waiters.queue(waiter)
      }
      return (error) => this.#waiters.reject(waiter, error)
    }
    return ignore
  }

  /** The same as a promise, for one who never gives up. */
  connect (borrower: Borrower): Promise<Connection> {
    return new Promise((resolve, reject) => { this.acquire({ borrower, lend: resolve, refuse: reject }) })
  }

  /** Whether one who asks now need not wait for others. */
  get hasRoom (): boolean { return this.#places.isFree }

  /** What the newest connection said of statements outside a transaction: whether they see what one inside would. */
  get readCommitted (): boolean { return this.#readCommitted }

  /** Counts and waits. */
  get info (): PoolInfo {
    const { size, max } = this.#settings.pool
    const { totalCount: total, idleCount: idle, waitingCount } = this.pool
    return { size, max, total, idle, inUse: total - idle, waiting: this.#waiters.inLine + waitingCount }
  }

  /** True as soon as a place is free or was passed on, false when none was within the limit. */
  breathes (timeoutMillis: number): Promise<boolean> {
    return this.#places.breathes(timeoutMillis)
  }

  /** Whether PostgreSQL may keep statements by their names. */
  get prepares (): boolean { return this.#settings.preparedStatements }

  observe (borrower: Borrower, statement: Statement, observed: Observed): void { this.#log.tell(borrower, statement, observed) }

  takeBack (connection: Connection, destroyed: boolean): void {
    const { pooled } = connection
    this.#loans.delete(connection)
    if (destroyed || !this.#settings.pool.resetOnRelease) return this.#end(pooled, destroyed)
    pooled.reset(pingMillis).then(() => this.#end(pooled, false), () => this.#end(pooled, true))
  }

  #end (pooled: PooledClient, destroyed: boolean): void {
    pooled.release(destroyed)
    this.#passOn()
  }

  /** Resolves when nothing is in use any more, or the time is over. */
  async idle (timeoutMillis: number): Promise<void> {
    const deadline = performance.now() + timeoutMillis
    const left = (): number => deadline - performance.now()
    do {
      await this.#places.idle(left())
      if (this.#isOurs) await this.#clients.returned(left())
    } while (!this.#places.areFree && left() > 0)
  }

  /** Whether whoever comes is refused. */
  get hasEnded (): boolean { return this.#ended }

  /** Whether nothing is in use, or on its way to one who waits. */
  get isIdle (): boolean { return this.#places.areFree && this.#endable.length === 0 }

  /** Refuses whoever comes or waits, and ends what is still in use, but for a COMMIT or ROLLBACK under way; tells who used it. */
  end (): Holding[] {
    this.#ended = true
    this.#waiters.rejectAll(new ConnectionError('The database was closed'))
    const holdings = this.#endable
    this.#cancels.push(...this.#loans.end(cancelMillis))
    if (this.#isOurs) this.#cancels.push(...this.#clients.cut(this.pool, cancelMillis))
    else this.#unfollow()
    return holdings
  }

  /** Resolves when PostgreSQL knows of what was ended, and every COMMIT and ROLLBACK under way has its answer, or was given up by its own limit. */
  async settled (): Promise<void> {
    await Promise.all([this.#loans.settled(), ...this.#cancels])
  }

  /** Ends pg's pool; resolves when its connections are closed, or after the time. */
  async close (timeoutMillis: number): Promise<void> {
    await this.#clients.end(this.pool, timeoutMillis)
  }

  /** Whether the pool was made from our settings, by whomever; with a pool of the user's own nothing is done that was not asked for. */
  get #isOurs (): boolean { return this.#settings.pg === undefined }

  /** What closing ends when its time is over. */
  get #endable (): Holding[] {
    const lent = this.#loans.lasting.map(holdingOf)
    return this.#isOurs ? [...lent, ...Array.from(this.#clients.taken, takenHoldingOf)] : lent
  }

  get #holdings (): Holding[] {
    return [...Array.from(this.#loans, holdingOf), ...Array.from(this.#clients.taken, takenHoldingOf)]
  }

  #refuse (waiters: readonly Waiter[], error: Error): void {
    const refused = waiters.filter((waiter) => this.#waiters.has(waiter))
    for (const waiter of refused) this.#waiters.reject(waiter, error)
    this.#exhaustion.tell(refused)
  }

  #checkOut (waiter: Waiter): void {
    this.pool.connect((error, client) => {
      if (client === undefined) {
        // pg-pool has a limit of its own, which is as long, and ends a moment before or after.
        if (this.#waiters.remaining(waiter) > timerSlackMillis) this.#waiters.reject(waiter, new ConnectionError(undefined, { cause: error }))
        else this.#refuse([waiter], new PoolTimeoutError(undefined, { cause: error }))
        this.#passOn()
      } else {
        this.#clients.claim(client)
        this.#admit(PooledClient.of(client), waiter)
      }
    })
  }

  #admit (pooled: PooledClient, waiter: Waiter): void {
    const { prePing, prePingAfterMillis } = this.#settings.pool
    const { idleMillis } = pooled
    const isNew = idleMillis === undefined
    const isStale = !isNew && (pooled.isDoubtful || (prePing && idleMillis > prePingAfterMillis))
    if (pooled.status !== 'I') {
      this.#settings.logger.warn({}, 'a connection came back to the pool inside a transaction, which is undone: who used pool.connect() must end what it began')
      return this.#replace(pooled, waiter)
    }
    if (!isNew && !isStale) return this.#lend(pooled, waiter)
    const remaining = this.#waiters.remaining(waiter)
    pooled.probe(isNew ? remaining : Math.min(pingMillis, remaining)).then(() => {
      this.#readCommitted = pooled.readCommitted
      this.#lend(pooled, waiter)
    }, (error: Error) => {
      // One that died while it stood idle is replaced; where a new one fails, the next would as well.
      if (isNew) this.#waiters.reject(waiter, new ConnectionError(undefined, { cause: error }))
      this.#replace(pooled, waiter)
    })
  }

  #replace (pooled: PooledClient, waiter: Waiter): void {
    pooled.release(true)
    if (this.#waiters.has(waiter)) this.#checkOut(waiter)
    else this.#passOn()
  }

  #lend (pooled: PooledClient, waiter: Waiter): void {
    if (!this.#waiters.has(waiter)) {
      pooled.release(false)
      return this.#passOn()
    }
    const connection = new Connection(pooled, waiter.borrower, this)
    this.#loans.add(connection)
    this.#waiters.resolve(waiter, connection)
  }

  /** Gives a place that came free to the first in line. */
  #passOn (): void {
    const next = this.#waiters.next()
    if (next === undefined) return this.#places.free()
    this.#checkOut(next)
    this.#places.passOn()
  }
}
