/**
 * Gathers what a database does: at each message of a channel, and once a second. Everything is counted in bounded memory. As long as a page or a recorder wants to
 * know who waits for whose lock, PostgreSQL is asked once a second, over a connection beside the pool.
 */
import { Blockings } from './blockings.js'
import { follow } from './follow.js'
import { connectionStates, holders, poolStates, primaryHoldings } from './open-work.js'
import { SecondCounter } from './second-counter.js'
import { ShapeTable } from './shape-table.js'
import { latestText, TransactionLog } from './transaction-log.js'
import { clipped } from './clipped.js'
import type { ClientConfig } from 'pg'
import type { DatabasePlace } from '../channels/messages.js'
import type { Activity, Blocking } from './activity.js'
import type { OwnProcess } from './blockings.js'

/** The database that is watched. */
export interface WatchedDatabase {
  readonly place: DatabasePlace
  /** How to connect to it, beside the pool. */
  readonly connection: ClientConfig
}

/** Watches one database until its end. */
export class ActivityWatch {
  /** The latest transactions. */
  readonly log = new TransactionLog()
  readonly #place: DatabasePlace
  readonly #seconds = new SecondCounter()
  readonly #shapes = new ShapeTable()
  readonly #blockings: Blockings
  readonly #unfollow: () => void
  readonly #timer: NodeJS.Timeout
  /** How many want to know who waits for whose lock. */
  #askers = 0
  #found: Blocking[] | null = null
  #asking: Promise<Blocking[] | null> | undefined

  constructor ({ place, connection }: WatchedDatabase) {
    this.#place = place
    this.#blockings = new Blockings(connection, (processId) => this.processOf(processId))
    const { log } = this
    this.#unfollow = follow(place, {
      statementStarted: (message) => log.statementStarted(message),
      statementEnded: (message) => {
        this.#seconds.statement(message)
        this.#shapes.add(message)
        log.statementEnded(message)
      },
      transactionStarted: (message) => log.transactionStarted(message),
      transactionEnded: (message) => {
        this.#seconds.transaction(message)
        log.transactionEnded(message)
      },
      waitEnded: (message) => {
        this.#seconds.wait(message)
        log.waitEnded(message)
      }
    })
    this.#seconds.end(connectionStates(place))
    this.#timer = setInterval(() => this.#tick(), 1000).unref()
  }

  /** What the database does now; `stacks`: with the place in the program that requested each connection. */
  current ({ stacks = false }: { readonly stacks?: boolean } = {}): Activity {
    const place = this.#place
    return {
      database: place.database,
      at: Date.now(),
      pools: poolStates(place),
      seconds: this.#seconds.all(),
      holders: holders(place, stacks),
      blockings: this.#found,
      shapes: this.#shapes.slowest()
    }
  }

  /** Asks once a second who waits for whose lock, and at once. The returned function ends that. */
  askBlockings (): () => void {
    this.#askers++
    this.findBlockings()
    return () => { this.#askers-- }
  }

  /** Asks PostgreSQL now who waits for whose lock; null if it does not answer. */
  async findBlockings (): Promise<Blocking[] | null> {
    this.#asking ??= this.#blockings.ask().then((found) => {
      this.#found = found
      this.#asking = undefined
      return found
    })
    return await this.#asking
  }

  /** The route and the latest statement of a connection to the database's own server. */
  processOf (processId: number): OwnProcess | undefined {
    const work = this.log.workOn(processId)
    if (work !== undefined) return { route: work.message.route, text: latestText(work) }
    const holding = primaryHoldings(this.#place).find((held) => held.processId === processId)
    return holding && { route: holding.route, text: clipped(holding.texts.join('; ')) }
  }

  /** Ends everything. */
  close (): Promise<void> {
    clearInterval(this.#timer)
    this.#unfollow()
    return this.#blockings.close()
  }

  #tick (): void {
    this.#seconds.end(connectionStates(this.#place))
    this.#shapes.age(performance.now())
    if (this.#askers > 0) this.findBlockings()
    else this.#found = null
  }
}
