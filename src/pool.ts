/**
 * The pool behind every session: pg's own, with what it lacks in front of it.
 *
 * pg-pool's queue has no bound and nobody can leave it, its `verify` sees new connections only, and its time-out error has no
 * code. So the line is kept here: no more are let through than the pool has places, and pg-pool itself makes nobody wait
 * (unless somebody uses the pool directly; the deadline holds for that, too).
 */
import type { Pool, PoolClient, PoolConfig } from 'pg'
import { extendConnection } from './connection-string.js'
import { Connection } from './connection/connection.js'
import { OpenClients } from './connection/open-clients.js'
import { PooledClient } from './connection/pooled-client.js'
import { Waiters } from './connection/waiters.js'
import type { Borrower, Waiter } from './connection/waiters.js'
import { ConnectionError, PoolTimeoutError } from './errors/errors.js'
import { ignore } from './handled.js'
import type { Settings } from './settings.js'
import type { Statement } from './session/statement.js'

/**
 * What pg's pool is made from, in the core and by `@fastify/postgres` alike.
 * Idle connections do not keep the process: a script that forgets to close its database ends all the same.
 */
export function poolConfig ({ connection = {}, pool }: Settings): PoolConfig {
  return extendConnection(connection, { min: pool.size, max: pool.max, maxLifetimeSeconds: jittered(pool.recycleSeconds), allowExitOnIdle: true })
}

/** The longest time that a timer of Node's takes, in seconds. */
const longestTimerSeconds = (2 ** 31 - 1) / 1000

/** Lets each connection live up to 10 % shorter or longer than the next, so that they are not all renewed at once. */
function jittered (recycleSeconds: number): number {
  return Math.min(recycleSeconds * (0.9 + Math.random() * 0.2), longestTimerSeconds)
}

/** How long a connection that stood idle may take to prove that it is alive, in milliseconds. */
const pingMillis = 2000

/** By how much timers of the same length may miss each other, in milliseconds. */
const timerSlackMillis = 5

/** One who asks for a connection; exactly one of the two is called, unless the wait is cancelled. */
export interface Applicant {
  readonly borrower: Borrower
  /** Called with the connection in the moment it is handed over, so that it is never in nobody's hands. */
  readonly lend: (connection: Connection) => void
  readonly refuse: (error: Error) => void
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

interface Loan {
  readonly connection: Connection
  readonly borrower: Borrower
  readonly since: number
  warned: boolean
}

export class ConnectionPool {
  readonly pool: Pool
  readonly #settings: Settings
  readonly #waiters: Waiters
  readonly #loans = new Set<Loan>()
  readonly #clients = new OpenClients()
  readonly #breaths = new Set<() => void>()
  readonly #leakTimer: NodeJS.Timeout | undefined
  /** Places taken: by connections in use, or on their way to those who wait. */
  #busy = 0
  #ended = false
  #readCommitted = true

  constructor (pool: Pool, settings: Settings) {
    this.pool = pool
    this.#settings = settings
    this.#waiters = new Waiters(settings.pool.timeoutMillis, () => new PoolTimeoutError())
    for (const [event, listener] of this.#listeners) pool.on(event as 'acquire', listener)
    const { leakWarningSeconds } = settings
    if (leakWarningSeconds > 0) this.#leakTimer = setInterval(() => this.#warnOfLeaks(), Math.max(leakWarningSeconds * 500, 100)).unref()
  }

  /** Asks for a connection that is alive; refuses with `PoolTimeoutError` or `ConnectionError`. */
  acquire ({ borrower, lend, refuse }: Applicant): Cancel {
    const { max, maxWaiting } = this.#settings.pool
    const free = this.#busy < max
    if (this.#ended) refuse(new ConnectionError('The database was closed'))
    else if (!free && this.#waiters.inLine >= maxWaiting) refuse(new PoolTimeoutError())
    else {
      const waiter = this.#waiters.add(borrower, lend, refuse)
      if (free) {
        this.#busy++
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
    return this.#busy < this.#settings.pool.max ? Promise.resolve(true) : this.#breath(timeoutMillis)
  }

  /** Resolves when nothing is in use any more, or the time is over. */
  async idle (timeoutMillis: number): Promise<void> {
    const deadline = performance.now() + timeoutMillis
    while (this.#busy > 0 && performance.now() < deadline) await this.#breath(deadline - performance.now())
  }

  /** Refuses whoever comes or waits, and ends what is still in use; tells who used it. */
  end (): Borrower[] {
    this.#ended = true
    this.#waiters.rejectAll(new ConnectionError('The database was closed'))
    const left = [...this.#loans]
    for (const { connection } of left) connection.destroy()
    clearInterval(this.#leakTimer)
    if (this.#settings.pg !== undefined) for (const [event, listener] of this.#listeners) this.pool.off(event as 'acquire', listener)
    return left.map(({ borrower }) => borrower)
  }

  /** Ends pg's pool; resolves when its connections are closed, or after the time. */
  async close (timeoutMillis: number): Promise<void> {
    await this.#clients.end(this.pool, timeoutMillis)
  }

  #checkOut (waiter: Waiter): void {
    this.pool.connect((error, client) => {
      if (client === undefined) {
        // pg-pool has a limit of its own, which is as long, and ends a moment before or after.
        const Failure = this.#waiters.remaining(waiter) > timerSlackMillis ? ConnectionError : PoolTimeoutError
        this.#waiters.reject(waiter, new Failure(undefined, { cause: error }))
        this.#passOn()
      } else {
        this.#admit(PooledClient.of(client), waiter)
      }
    })
  }

  #admit (pooled: PooledClient, waiter: Waiter): void {
    const { prePing, prePingAfterMillis } = this.#settings.pool
    const { idleMillis } = pooled
    const isNew = idleMillis === undefined
    const isStale = !isNew && prePing && idleMillis > prePingAfterMillis
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
    const observe = (statement: Statement, lead: readonly string[], durationMillis: number): void =>
      this.#log(waiter.borrower, { statement, lead, durationMillis })
    const connection = new Connection(pooled, (destroyed) => {
      this.#loans.delete(loan)
      this.#takeBack(pooled, destroyed)
    }, observe)
    const loan = { connection, borrower: waiter.borrower, since: performance.now(), warned: false }
    this.#loans.add(loan)
    this.#waiters.resolve(waiter, connection)
  }

  #takeBack (pooled: PooledClient, destroyed: boolean): void {
    const end = (broken: boolean): void => { pooled.release(broken); this.#passOn() }
    if (destroyed || !this.#settings.pool.resetOnRelease) return end(destroyed)
    pooled.reset(pingMillis).then(() => end(false), () => end(true))
  }

  /** Gives a place that came free to the first in line. */
  #passOn (): void {
    const next = this.#waiters.next()
    if (next === undefined) this.#busy--
    else this.#checkOut(next)
    for (const breathe of this.#breaths) breathe()
  }

  #breath (timeoutMillis: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (breathed: boolean): void => {
        clearTimeout(timer)
        this.#breaths.delete(breathe)
        resolve(breathed)
      }
      const breathe = (): void => end(true)
      const timer = setTimeout(() => end(false), timeoutMillis)
      this.#breaths.add(breathe)
    })
  }

  #log ({ logger }: Borrower, { statement, lead, durationMillis }: { statement: Statement, lead: readonly string[], durationMillis: number }): void {
    const { echo, slowQueryMillis } = this.#settings
    const slow = durationMillis >= slowQueryMillis
    if (!slow && !echo) return
    const story = { statement: [...lead, statement.text].join('; '), durationMillis: Math.round(durationMillis * 1000) / 1000, ...statement.context }
    if (slow) logger.warn(story, 'slow statement')
    else logger.info(story, 'statement')
  }

  #warnOfLeaks (): void {
    const { leakWarningSeconds } = this.#settings
    const now = performance.now()
    for (const loan of this.#loans) {
      const heldSeconds = (now - loan.since) / 1000
      if (loan.warned || heldSeconds < leakWarningSeconds) continue
      loan.warned = true
      loan.borrower.logger.warn({ heldSeconds: Math.round(heldSeconds), holder: loan.borrower.label }, 'a database connection is held for long: is a session never closed?')
    }
  }

  readonly #event = (event: string) => (): void => {
    if (this.#settings.pool.echo) this.#settings.logger.info({ event, ...this.info }, 'pool event')
  }

  /** pg's pool tells what happens to its clients; what happens to an idle one must never end the process, not even after the end. */
  readonly #listeners: ReadonlyArray<[string, (client: PoolClient) => void]> = [
    ['connect', () => {
      // pg-pool reads this for each connection that it opens.
      if (this.#settings.pg === undefined) this.pool.options.maxLifetimeSeconds = jittered(this.#settings.pool.recycleSeconds)
      this.#event('connect')()
    }],
    // Clients that the pool had before us, and those that others check out, get their listeners here.
    ['acquire', (client) => {
      PooledClient.of(client)
      this.#clients.add(client)
      this.#event('acquire')()
    }],
    ['release', this.#event('release')],
    ['remove', (client) => {
      this.#clients.delete(client)
      this.#event('remove')()
    }],
    ['error', ignore]
  ]
}
