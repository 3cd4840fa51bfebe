/**
 * Lookups of many requests over a few connections, with `pool.sharedReads`.
 *
 * A shape of statement is admitted when it was seen to be quick over connections of its own. The first read of such a shape takes a
 * connection from the pool, as every read does. Until the last response has come, that connection is a {@link Lane}, and the reads that
 * arrive meanwhile travel over it. A lane counts as the connection in use that it is, and has work: only while others wait for a connection,
 * and the lanes are a small part of the pool, it stays for a moment without a read. The next one would have to wait behind those others.
 *
 * PostgreSQL answers a connection in order, so one slow statement would hold up those behind it. A lane whose oldest read is overdue is
 * blocked: that read stays, as if the connection were its own, and the others are repeated over the pool. While nothing else is answered
 * either, the server is busy, and there is more patience. A shape that is slow is not admitted any more. The check waits for the next poll of the event loop, because a process that was busy has not read what has arrived.
 */
import { isOrdinary } from '../../pg/client.js'
import { ignore } from '../../runtime/promises.js'
import { Admission, patienceMillis } from './admission.js'
import { Lane } from './lane.js'
import type { PoolInfo } from '../../channels/pool-info.js'
import type { Connection } from '../../connection/connection.js'
import type { ConnectionHome, PoolerPolicy } from '../../connection/connection-home.js'
import type { Logger } from '../../runtime/logger.js'
import type { Caller } from '../../statement/caller.js'
import type { Statement } from '../../statement/statement.js'
import type { Running } from '../../connection/running.js'
import type { AskForOwn, Cancel, OwnRequest, ReadRequest } from './plain-read.js'

/** How long a lane takes new reads, in milliseconds: while others wait for a connection and the lanes are many, and at most. */
const openMillis = { contended: 5, longest: 1000 }

/**
 * With fewer connections in the pool for each lane, the lanes are many, and give way to those who wait. Otherwise they stay:
 * many lookups need them, and those who wait would gain little.
 */
const connectionsPerLane = 8

/** The time between two checks, in milliseconds. */
const checkMillis = 2

/** So many reads without a response make room for another lane, if the pool has a connection to spare. */
const busyReads = 8

/** How long the statements of the pool are watched after the last lookup of a shape that is not admitted, in milliseconds. */
const watchedMillis = 1000

/** The part of a pool that shared reads use. */
export interface SharingPool {
  readonly pooler: PoolerPolicy & { readonly isThere: boolean }
  readonly observe: ConnectionHome<Connection>['observe']
  /** Requests a connection. No bound refuses a request that was admitted before. */
  readonly acquire: (request: OwnRequest, isAdmitted?: boolean) => Cancel
  /** Whether a connection is available without a wait. */
  readonly hasRoom: boolean
  readonly info: Pick<PoolInfo, 'waiting' | 'max'>
  readonly hasEnded: boolean
}

/** What shared reads are told of the settings. */
export interface SharingSettings {
  readonly logger: Logger
  readonly pool: { readonly sharedReads: number }
}

/** A read that waits for a connection to share. */
interface Opening {
  readonly request: ReadRequest
  cancel: Cancel
}

/** A statement that is overdue, unless its response is about to be read. */
interface Overdue {
  readonly connection: Connection
  readonly running: Running
}

const foreign = 'pool.sharedReads has no effect any more: another program, perhaps an instrumentation of pg, sends statements of its own over the connections of the pool'

/** Ends the wait of a read that found a lane meanwhile. */
const joined = new Error('joined')

export class SharedReads {
  readonly #pool: SharingPool
  readonly #lent: Iterable<Connection>
  readonly #most: number
  readonly #caller: Caller
  readonly #admission = new Admission()
  readonly #lanes = new Set<Lane>()
  readonly #openings = new Set<Opening>()
  /** Those that wait for another one's connection until the end of this turn. */
  readonly #followers: Opening[] = []
  #turn: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined
  #isGivenUp = false
  #answeredAt = 0
  #checkedAt = 0
  #watchedUntil = 0

  /** `lent` are the connections in use. */
  constructor (pool: SharingPool, { logger, pool: { sharedReads } }: SharingSettings, lent: Iterable<Connection>) {
    this.#pool = pool
    this.#lent = lent
    this.#most = sharedReads
    this.#caller = { logger, label: 'shared reads' }
  }

  /** Reads over a lane if the statement is admitted, else over a connection of its own. */
  acquire (request: ReadRequest): Cancel {
    if (this.#admission.of(request.statement)?.isAdmitted !== true || !this.#isPossible) return this.#askForOwn(request)
    const lane = this.#lane()
    if (lane === undefined) return this.#open(request)
    return lane.send(request)?.drop ?? this.#askForOwn(request)
  }

  /** A statement was answered. */
  observed (statement: Statement, durationMillis: number): void {
    const now = this.#answeredAt = performance.now()
    const shape = this.#admission.of(statement)
    if (shape === undefined || shape.isAdmitted) return
    // A longer time is that of this process if the check has found nothing meanwhile.
    if (durationMillis < patienceMillis.late || this.#checkedAt > now - durationMillis) shape.quick()
    this.#watchedUntil = now + watchedMillis
    this.#watch()
  }

  /** Whether connections may be shared: not behind a pooler, where limits lead each statement, and names may be another client's. */
  get #isPossible (): boolean {
    const { pooler: { isThere, prepares }, hasEnded } = this.#pool
    return !isThere && prepares && !hasEnded && !this.#isGivenUp
  }

  #giveUp (): void {
    this.#isGivenUp = true
    this.#caller.logger.warn({}, foreign)
  }

  readonly #askForOwn: AskForOwn = (request) => this.#pool.acquire(request)

  /** For a read that was sent over a lane already. */
  readonly #askAgain: AskForOwn = (request) => this.#pool.acquire(request, true)

  /** Whether the lanes hold a large part of the pool. */
  get #areMany (): boolean { return this.#lanes.size * connectionsPerLane > this.#pool.info.max }

  /** Whether others wait for a connection. */
  get #isAwaited (): boolean { return this.#pool.info.waiting > 0 }

  /** The open lane with the fewest reads; undefined if another one should be opened. */
  #lane (): Lane | undefined {
    const now = performance.now()
    let best: Lane | undefined
    let fewest = Infinity
    let open = 0
    for (const lane of this.#lanes) {
      const age = now - lane.openedAt
      if (age > openMillis.longest || (age > openMillis.contended && this.#areMany && this.#isAwaited)) lane.isOpen = false
      if (lane.isOpen) open++
      if (lane.hasRoom && lane.size < fewest) {
        best = lane
        fewest = lane.size
      }
    }
    const isBusy = fewest >= busyReads && open < this.#most && this.#openings.size === 0 && this.#pool.hasRoom
    return isBusy ? undefined : best
  }

  /** Takes a connection, which becomes a lane. Another one that was requested in this turn of the event loop may be there at once. */
  #open (request: ReadRequest): Cancel {
    const opening: Opening = { request, cancel: ignore }
    const isFirst = this.#openings.size === 0
    this.#openings.add(opening)
    if (isFirst) this.#request(opening)
    else {
      opening.cancel = (error) => this.#refuse(opening, error)
      this.#followers.push(opening)
      this.#turn ??= setImmediate(this.#follow)
    }
    return (error) => opening.cancel(error)
  }

  /** Those that have found no lane until now take connections of their own. */
  readonly #follow = (): void => {
    this.#turn = undefined
    for (const opening of this.#followers.splice(0)) if (this.#openings.has(opening)) this.#request(opening)
  }

  #request (opening: Opening): void {
    const { request } = opening
    const cancel = this.#pool.acquire({
      caller: request.caller,
      lend: (connection) => {
        this.#openings.delete(opening)
        opening.cancel = this.#arrived(connection, request)
      },
      refuse: (error) => this.#refuse(opening, error)
    })
    if (this.#openings.has(opening)) opening.cancel = cancel
  }

  #refuse (opening: Opening, error: Error): void {
    if (this.#openings.delete(opening) && error !== joined) opening.request.refuse(error)
  }

  #arrived (connection: Connection, request: ReadRequest): Cancel {
    const lane = this.#laneOver(connection)
    const read = lane?.send(request)
    if (lane === undefined || read === undefined) {
      lane?.abandon(request.caller)
      request.lend(connection)
      return ignore
    }
    for (const opening of [...this.#openings]) this.#join(lane, opening)
    return read.drop
  }

  /** A lane over a connection; undefined if there are enough, or the connection cannot be shared. */
  #laneOver (connection: Connection): Lane | undefined {
    const { pooled, readCommitted, refusal } = connection
    // The first statement of a new connection has a guard in front of it.
    const isFit = isOrdinary(pooled.client) && pooled.guard === undefined && readCommitted && refusal === undefined && this.#isPossible
    if (!isFit || Array.from(this.#lanes).filter(({ isOpen }) => isOpen).length >= this.#most) return undefined
    const lane = new Lane(connection, {
      caller: this.#caller,
      home: this.#pool,
      askAgain: this.#askAgain,
      foreign: () => this.#giveUp(),
      stays: () => this.#isAwaited && !this.#areMany,
      quick: (statement) => this.#admission.of(statement)?.quick(),
      ended: () => this.#lanes.delete(lane)
    })
    this.#lanes.add(lane)
    this.#watch()
    return lane
  }

  /** A read that waits for a connection travels over a lane instead, if it has not got the connection yet. */
  #join (lane: Lane, opening: Opening): void {
    if (!lane.hasRoom) return
    opening.cancel(joined)
    if (!this.#openings.has(opening)) opening.cancel = lane.send(opening.request)?.drop ?? this.#askForOwn(opening.request)
  }

  /** Checks at an interval, as long as there is something to check. */
  #watch (): void {
    this.#timer ??= setTimeout(this.#check, checkMillis).unref()
  }

  readonly #check = (): void => {
    const now = this.#checkedAt = performance.now()
    this.#timer = undefined
    if (this.#pool.hasEnded || (this.#lanes.size === 0 && now > this.#watchedUntil)) return
    this.#watch()
    const lanes = Array.from(this.#lanes).filter((lane) => lane.isLate(now) || lane.isSlow(now))
    const running = this.#overdue(now)
    if (lanes.length > 0 || running.length > 0) setImmediate(() => this.#judge(lanes, running))
  }

  /** The statements with a connection of their own that PostgreSQL should have answered. */
  #overdue (now: number): Overdue[] {
    const shared = new Set(Array.from(this.#lanes, ({ connection }) => connection))
    return Array.from(this.#lent).flatMap((connection) => {
      const { running } = connection
      return running === undefined || now - running.since < patienceMillis.late || shared.has(connection) ? [] : [{ connection, running }]
    })
  }

  /** The process has read what had arrived: what still has no response is slow. */
  #judge (lanes: readonly Lane[], running: readonly Overdue[]): void {
    const now = performance.now()
    for (const lane of lanes) {
      if (lane.isSlow(now)) {
        this.#admission.known(String(lane.head?.text))?.slow()
        lane.judged()
        lane.block()
      } else if (lane.isLate(now)) {
        // A server that answers nobody is busy: to repeat reads would make it busier.
        if (lane.isOvertaken(this.#answeredAt)) lane.block()
        else lane.pause()
      }
    }
    const unanswered = running.filter(({ connection, running: { since } }) => connection.running?.since === since)
    for (const { running: { since, texts } } of unanswered) for (const text of texts) this.#admission.known(text)?.overdue(now - since)
  }
}
