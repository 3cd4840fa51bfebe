/**
 * The pool behind every session: pg's own pool, with a queue in front of it that is bounded by time.
 *
 * pg-pool's queue is unbounded, no waiter can leave it, `verify` checks new connections only, and its timeout error has no code.
 * So the queue is kept here. The pool requests no more connections from pg-pool than it has slots, so no request waits there,
 * unless a program uses pg's pool directly; the deadline covers that case.
 *
 * A connection on its way belongs to no waiter: the first one that is released or opened goes to the oldest waiter.
 * A connection that cannot be opened rejects no waiter as long as others are open ({@link Shortage}).
 */
import type { Pool } from 'pg'
import { Connection } from '../connection/connection.js'
import { ExpectedWait } from './expected-wait.js'
import { ExhaustionWarning } from './exhaustion-warning.js'
import { usageOf, usageOfTaken, usagesOf, type ConnectionUsage } from './connection-usage.js'
import { warnOfLeaks } from './leak-warning.js'
import { cancelMillis, CheckedOut } from './checked-out.js'
import { CheckedClients } from './clients/checked-clients.js'
import { OpenClients } from './clients/open-clients.js'
import { Pooler } from '../pooler/pooler.js'
import { Refusals } from './refusals.js'
import { Slots } from './slots.js'
import { SharedReads } from './shared/shared-reads.js'
import { LivenessCheck, pingMillis } from './clients/liveness-check.js'
import { followPool } from './pool-events.js'
import { Shortage } from './shortage.js'
import { watchForStalls } from './stall-watchdog.js'
import { StatementLog } from '../statement/statement-log.js'
import { AcquireQueue, timedOut, type AcquireRequest, type Waiter } from './acquire-queue.js'
import type { ClientState } from '../connection/client-state.js'
import type { ConnectionHome, Replace } from '../connection/connection-home.js'
import type { Cancel, ConnectionSource } from './connection-source.js'
import type { PoolInfo } from '../channels/pool-info.js'
import type { Caller } from '../statement/caller.js'
import { noteObserved } from '../channels/statement-trace.js'
import { PoolChannels } from './pool-channels.js'
import { ConnectionError } from '../errors/errors.js'
import { isReadOnlyServer } from '../errors/to-database-error.js'
import { ignore } from '../runtime/promises.js'
import type { Settings } from '../settings/settings.js'

const renewed = 'the database server has become read-only, or is no longer the one that the URL asks for: its connections are replaced by new ones'

export class ConnectionPool implements ConnectionHome<Connection>, ConnectionSource {
  readonly pool: Pool
  /** What it tells those who watch. */
  readonly channels: PoolChannels
  /** What was found out about a pooler. */
  readonly pooler: Pooler
  readonly #settings: Settings
  readonly #queue: AcquireQueue
  readonly #slots: Slots
  readonly #expected: ExpectedWait
  readonly #refusals = new Refusals()
  readonly #checkedOut = new CheckedOut()
  readonly #log: StatementLog
  readonly #clients = new OpenClients()
  readonly #exhaustion: ExhaustionWarning
  readonly #shortage: Shortage
  readonly #liveness: LivenessCheck
  readonly #checked: CheckedClients
  readonly #unfollow: () => void
  readonly shared: SharedReads | undefined
  readonly #cancels: Array<Promise<void>> = []
  /** Connections on their way; each takes a slot. */
  #coming = 0
  #ended = false

  constructor (pool: Pool, settings: Settings) {
    this.pool = pool
    this.channels = new PoolChannels({ settings, options: pool.options, checkedOut: this.#checkedOut, info: () => this.info })
    this.#settings = settings
    this.#log = new StatementLog(settings)
    this.#queue = new AcquireQueue(settings.pool.timeoutMillis, (waiters) => this.#refuse(waiters, timedOut()))
    this.#slots = new Slots(settings.pool.max)
    this.#expected = new ExpectedWait(this.#slots, settings.pool)
    this.pooler = new Pooler(settings)
    this.#liveness = new LivenessCheck({ pool, settings: settings.pool, clients: this.#clients, pooler: this.pooler, isUseful: this.#isUseful })
    this.#checked = new CheckedClients({
      pool,
      settings,
      clients: this.#clients,
      liveness: this.#liveness,
      pooler: this.pooler,
      coming: () => this.#coming,
      ready: (pooled) => this.#lend(pooled),
      useless: () => this.#useless(),
      failed: (error) => this.#failed(error)
    })
    this.#unfollow = followPool(pool, { settings, clients: this.#clients, info: () => this.info, opened: this.channels.connected })
    this.#exhaustion = new ExhaustionWarning(settings, { checkedOut: this.#checkedOut, usages: () => usagesOf(this.#checkedOut, this.#clients.taken), waiting: () => this.info.waiting, limit: () => this.#slots.limit })
    this.#shortage = new Shortage(this.#slots, settings, () => this.#proceed())
    warnOfLeaks(this.#checkedOut, this.#clients, { settings, leaked: this.channels.leaked })
    watchForStalls(this.#checkedOut, settings, this.pooler)
    this.shared = settings.pool.sharedReads > 0 ? new SharedReads(this, settings, this.#checkedOut) : undefined
  }

  /** Requests a connection that is alive; refuses with `PoolTimeoutError` or `ConnectionError`. No bound refuses a request that was admitted before. */
  acquire (given: AcquireRequest, isAdmitted = false): Cancel {
    const request = this.channels.acquire(given)
    if (this.#ended) {
      request.refuse(new ConnectionError('The database was closed'))
      return ignore
    }
    if (!isAdmitted && !this.#slots.isFree && this.#mustNotWait(request)) return this.#refusals.add(request)
    const waiter = this.#queue.add(request)
    this.#proceed()
    return (error) => {
      this.#queue.reject(waiter, error)
      this.#slots.breathe()
    }
  }

  /** Resolves with a connection; such a request cannot be cancelled. */
  connect (caller: Caller): Promise<Connection> { return new Promise((resolve, reject) => { this.acquire({ caller, lend: resolve, refuse: reject }) }) }

  /** Whether a connection is available without waiting for others. */
  get hasRoom (): boolean { return this.#slots.isFree }

  /** Whether a statement on the newest connection sees the same rows outside a transaction as inside one. */
  get readCommitted (): boolean { return this.#liveness.readCommitted }

  get info (): PoolInfo {
    const { size, max } = this.#settings.pool
    const { totalCount: total, idleCount: idle, waitingCount } = this.pool
    const waiting = Math.max(this.#queue.size - this.#coming, 0) + waitingCount
    return { size, max, total, idle, inUse: Math.max(total - idle - this.#spare, 0), waiting }
  }

  /** How many connections are on their way without a waiter. */
  get #spare (): number { return Math.max(this.#coming - this.#queue.size, 0) }

  /** Resolves when no connection is on its way without a waiter. */
  arrived (): Promise<void> { return this.#slots.until(() => this.#spare === 0, this.#settings.pool.timeoutMillis) }

  /** `true` as soon as a slot is free or was passed on; `false` if that did not happen in time. */
  breathes (timeoutMillis: number): Promise<boolean> { return this.#slots.breathes(timeoutMillis) }

  readonly observe: ConnectionHome<Connection>['observe'] = (caller, statement, observed) => {
    noteObserved(statement.message, observed)
    this.shared?.observed(statement, observed.durationMillis)
    this.#log.tell(caller, statement, observed)
  }

  takeBack (connection: Connection, destroyed: boolean): void {
    const { pooled } = connection
    this.#checkedOut.delete(connection)
    this.channels.released(connection, destroyed)
    if (pooled.isMisfit || (destroyed && isReadOnlyServer(connection.refusal))) this.#renew(pooled)
    if (destroyed || !this.#settings.pool.resetOnRelease) return this.#end(pooled, destroyed)
    pooled.reset(pingMillis).then(() => this.#end(pooled, false), () => this.#end(pooled, true))
  }

  get replace (): Replace { return this.#liveness.replace }

  get prove (): Replace { return this.#liveness.prove }

  /** Whether a checked client is still one that may be lent. One that tells of a failover is replaced, and with it the others at its address. */
  readonly #isUseful = (pooled: ClientState): boolean => {
    if (pooled.isMisfit) this.#renew(pooled)
    return !pooled.isOutdated
  }

  /** Replaces the connections to a server that is not the wanted one any more, unless the pool is the user's own. */
  #renew (pooled: ClientState): void {
    if (this.#isOurs && this.#clients.renew(this.pool, pooled)) this.#settings.logger.warn({}, renewed)
  }

  #end (pooled: ClientState, destroyed: boolean): void {
    const { first, size } = this.#queue
    const isAwaited = first !== undefined && size > this.#coming
    if (isAwaited) this.#expected.released(this.#queue.waited(first))
    if (isAwaited && !destroyed && !this.#slots.areTooMany && this.#checked.passOn(pooled)) {
      this.#coming++
      return this.#slots.passOn()
    }
    pooled.release(destroyed)
    this.#slots.free()
    this.#proceed()
  }

  /** Resolves when nothing is in use any more, apart from clients that a program keeps idle, or when the time is over. */
  async idle (timeoutMillis: number): Promise<void> {
    const deadline = performance.now() + timeoutMillis
    const left = (): number => deadline - performance.now()
    do {
      await this.#slots.until(() => this.#isQuiet, left())
      if (this.#isOurs) await this.#clients.finished(left())
    } while (!this.isIdle && left() > 0)
  }

  get hasEnded (): boolean { return this.#ended }

  /** Whether no connection is in use, or on its way to a waiter. */
  get isIdle (): boolean { return this.#isQuiet && this.#endable.length === 0 }

  /** Whether no session has a connection or waits for one; a connection on its way belongs to none. */
  get #isQuiet (): boolean { return this.#slots.taken === this.#coming && this.#queue.size === 0 }

  /** Refuses requests and waiters, and ends connections in use unless COMMIT or ROLLBACK is running; returns the usages that it ended. */
  end (): ConnectionUsage[] {
    this.#ended = true
    this.channels.close()
    this.#shortage.end()
    this.#liveness.end()
    this.#queue.rejectAll(new ConnectionError('The database was closed'))
    const usages = this.#endable
    this.#cancels.push(...this.#checkedOut.end(cancelMillis, this.pooler.isThere))
    if (this.#isOurs) this.#cancels.push(...this.#clients.cut(this.pool, cancelMillis, this.pooler.isThere))
    else this.#unfollow()
    return usages
  }

  /** Resolves when all cancel requests are delivered, and every running COMMIT and ROLLBACK has its response or has reached its limit. */
  async finished (): Promise<void> { await Promise.all([this.#checkedOut.finished(), ...this.#cancels]) }

  /** Ends pg's pool; resolves when its connections are closed, or the time is over. */
  close (timeoutMillis: number): Promise<void> { return this.#clients.end(this.pool, timeoutMillis) }

  /** Whether the pool was made from our settings. A pool that the user made is left as it is. */
  get #isOurs (): boolean { return this.#settings.pg === undefined }

  /** The usages that closing ends when its time is over. */
  get #endable (): ConnectionUsage[] {
    const lent = this.#checkedOut.lasting.map(usageOf)
    return this.#isOurs ? [...lent, ...this.#clients.atWork.map(usageOfTaken)] : lent
  }

  #refuse (waiters: readonly Waiter[], error: Error): void {
    for (const waiter of waiters) this.#queue.reject(waiter, error)
    this.#exhaustion.tell(waiters)
    this.#slots.breathe()
  }

  /** Whether a request is refused at once: too many wait already, or it would probably wait in vain. */
  #mustNotWait (request: AcquireRequest): boolean {
    const ahead = this.#queue.size - this.#coming
    const isTooLong = this.#expected.isTooLong(ahead)
    if (isTooLong) this.#exhaustion.tellOfCrowd(request)
    return isTooLong || ahead >= this.#settings.pool.maxWaiting
  }

  /** Checks out connections for the waiters, as far as there are slots. */
  #proceed (): void {
    // Connections on their way may take long: an idle one is checked out, too.
    if (this.#coming >= this.#queue.size && this.#queue.size > 0 && this.#slots.isFree && this.pool.idleCount > 0) this.#checkOut()
    while (this.#coming < this.#queue.size && this.#slots.isFree) this.#checkOut()
  }

  #checkOut (): void {
    this.#slots.take()
    this.#coming++
    this.#checked.take()
  }

  /** A client was of no use: its waiter gets another one. */
  #useless (): void {
    this.#coming--
    this.#slots.free()
    this.#proceed()
  }

  /** Hands a connection to the oldest waiter. */
  #lend (pooled: ClientState): void {
    if (!this.#isUseful(pooled)) {
      pooled.release(true)
      return this.#useless()
    }
    const { first } = this.#queue
    this.#coming--
    if (first === undefined) return this.#end(pooled, false)
    const connection = new Connection(pooled, first.request.caller, this)
    this.#checkedOut.add(connection)
    this.#shortage.owed = 0
    this.#queue.resolve(first, connection)
  }

  /** A connection could not be opened. */
  #failed (error: Error): void {
    this.#coming--
    this.#slots.free()
    const { totalCount, idleCount } = this.pool
    // No waiter gets an outdated connection.
    const open = this.#slots.taken + idleCount - Array.from(this.#checkedOut).filter(({ pooled }) => pooled.isOutdated).length
    // If pool.connect() has used up pg's pool, no connection was tried: the waiters have a limit of their own.
    if (totalCount < this.#settings.pool.max && !this.#ended) {
      if (open > 0) this.#shortage.note(error, open, this.#queue.size)
      this.#refuseFor(error, open)
    }
    this.#proceed()
  }

  /** Refuses the waiters that will get no connection: one for each failed connection if none is open, else those that must not wait. */
  #refuseFor (cause: Error, open: number): void {
    const waiting = this.#queue.all()
    const refused = open > 0 ? waiting.slice(this.#coming).filter(({ request }) => request.mayWait === false) : this.#shortage.unserved(waiting)
    for (const waiter of refused.filter((waiter) => this.#queue.isEarly(waiter))) this.#queue.reject(waiter, new ConnectionError(undefined, { cause }))
  }
}
