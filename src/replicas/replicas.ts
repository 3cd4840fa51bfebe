import { PrimaryPositions } from './lag.js'
import { Replica } from './replica.js'
import { ServerWatch } from './server-watch.js'
import type { ClientConfig } from 'pg'
import type { CommitToken } from './commit-token.js'
import type { ReplicaInfo } from './replica.js'
import type { ServerState } from './server-watch.js'
import type { Settings } from '../settings/settings.js'

/** How many answers of the primary fit into the longest lag: the more, the more exactly the lag is known. */
const answersInLag = 5

/** The longest pause between two questions, in milliseconds. */
const longestPauseMillis = 1000

/** The shortest time that a server has to answer, in milliseconds. */
const shortestPatienceMillis = 1000

/** A replica is reported as left out after this many answers in a row: at the start the primary's may come later than its own. */
const answersBeforeReport = 3

/** The shortest time between two lines in the log about the same replica, in milliseconds. */
const quietMillis = 10_000

/** One replica, and what the log knows of it. */
interface Watched {
  readonly replica: Replica
  readonly watch: ServerWatch
  /** Its place among the connection strings: no log holds a host. */
  readonly number: number
  /** How many answers in a row it may not serve. */
  outs: number
  isTold: boolean
  toldAt: number
}

/** The replicas of a database. They are watched from {@link Replicas.start} to {@link Replicas.end}. */
export class Replicas {
  readonly #settings: Settings
  readonly #positions: PrimaryPositions
  readonly #primaryWatch: ServerWatch
  readonly #watched: readonly Watched[]
  #primary: Pick<ServerState, 'system' | 'timeline'> | undefined
  #next = 0

  constructor (settings: Settings, primary: ClientConfig, replicas: NonNullable<Settings['replicas']>) {
    const { connections, maxLagMillis } = replicas
    const times = { intervalMillis: Math.min(maxLagMillis / answersInLag, longestPauseMillis), timeoutMillis: Math.max(maxLagMillis, shortestPatienceMillis) }
    this.#settings = settings
    this.#positions = new PrimaryPositions(maxLagMillis)
    this.#primaryWatch = new ServerWatch(primary, { ...times, told: (state, askedAt) => this.#primaryTold(state, askedAt) })
    this.#watched = connections.map((connection, index) => {
      const watch = new ServerWatch(connection, { ...times, told: (state) => this.#replicaTold(watched, state) })
      const watched: Watched = { replica: new Replica(settings, { connection, number: index + 1 }, replicas), watch, number: index + 1, outs: 0, isTold: false, toldAt: -Infinity }
      return watched
    })
  }

  /** All replicas, whether they serve or not. */
  get all (): Replica[] { return this.#watched.map(({ replica }) => replica) }

  get info (): ReplicaInfo[] { return this.all.map(({ info }) => info) }

  /** Begins to ask all servers how far they have come. */
  start (): void {
    for (const watch of this.#watches) watch.start()
  }

  /** Stops asking. The database ends the pools. */
  end (): void {
    for (const watch of this.#watches) watch.end()
  }

  get #watches (): ServerWatch[] { return [this.#primaryWatch, ...this.#watched.map(({ watch }) => watch)] }

  /**
   * The replica for a session, in turn among those that may serve it; undefined if there is none.
   * `hasReached`: only one that is known to have replayed the commit of the token.
   */
  choose (token: CommitToken | undefined, hasReached: boolean): Replica | undefined {
    for (let count = this.#watched.length; count > 0; count--) {
      this.#next = (this.#next + 1) % this.#watched.length
      const { replica } = this.#watched[this.#next] as Watched
      if (this.mayServe(replica, token) && (!hasReached || token === undefined || replica.position >= token.position)) return replica
    }
    return undefined
  }

  /** Whether a replica may serve reads. If they follow a commit, the guard in front of each read decides whether the replica has come that far. */
  mayServe (replica: Replica, token: CommitToken | undefined): boolean {
    if (replica.lagMillis === undefined) return false
    if (token === undefined) return true
    const { system, timeline } = Object(this.#primary)
    return token.system === system && token.timeline === timeline && replica.mayReach(token.position)
  }

  #primaryTold (state: ServerState | undefined, askedAt: number): boolean {
    // During a failover the address may lead to a standby for a moment.
    if (state === undefined || state.standby) return false
    if (state.system !== this.#primary?.system || state.timeline !== this.#primary.timeline) this.#positions.clear()
    this.#primary = state
    this.#positions.note(state.position, askedAt)
    return true
  }

  #replicaTold (watched: Watched, state: ServerState | undefined): boolean {
    const follows = state !== undefined && this.#follows(state)
    const freshAt = follows ? this.#positions.freshAt(state.position) : undefined
    if (!follows || freshAt === undefined) watched.replica.leaveOut()
    else watched.replica.admit(state.position, freshAt)
    this.#tell(watched, state)
    return follows
  }

  /** Whether a server is a standby of the primary, on its timeline. */
  #follows ({ standby, system, timeline }: ServerState): boolean {
    return standby && system === this.#primary?.system && timeline === this.#primary.timeline
  }

  #tell (watched: Watched, state: ServerState | undefined): void {
    const { replica: { lagMillis }, number } = watched
    const isOut = lagMillis === undefined && this.#primary !== undefined
    watched.outs = isOut ? watched.outs + 1 : 0
    if (isOut === watched.isTold || (isOut && (watched.outs < answersBeforeReport || performance.now() - watched.toldAt < quietMillis))) return
    watched.isTold = isOut
    if (!isOut) return this.#settings.logger.info({ replica: number, lagMillis }, 'the replica serves reads again')
    watched.toldAt = performance.now()
    this.#settings.logger.warn({ replica: number, reason: this.#reasonOf(state) }, 'the replica is left out: the others or the primary answer its reads')
  }

  #reasonOf (state: ServerState | undefined): string {
    if (state === undefined) return 'it does not answer'
    if (!state.standby) return 'it is not a standby: it was promoted, or its URL leads to a primary'
    return this.#follows(state) ? 'it lags behind' : 'it follows another primary'
  }
}
