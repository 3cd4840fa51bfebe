/**
 * Finds incidents in the messages about a database. It follows the beginning of each end (`asyncStart`): the log of transactions follows `asyncEnd`, so what has
 * failed is still open there, with its statements and its process.
 */
import { messageCaller } from '../channels/messages.js'
import { clipped } from '../activity/clipped.js'
import { follow } from '../activity/follow.js'
import { latestText } from '../activity/transaction-log.js'
import { CommitUnknownError, PoolTimeoutError } from '../errors/errors.js'
import { sqlStates } from '../errors/sqlstate-codes.js'
import { codeOf } from '../pg/error-code.js'
import { deadlockWords, holderWords, lockWords, seconds } from './blocker-words.js'
import { deadlockProcesses } from './deadlock-processes.js'
import { SlowRequests } from './slow-requests.js'
import type { ActivityWatch } from '../activity/activity-watch.js'
import type { Blocking, Holder, Incident } from '../activity/activity.js'
import type { AcquireMessage, DatabasePlace, LeakMessage, StatementMessage, TransactionMessage } from '../channels/messages.js'

/** How often requests that wait are looked at, in milliseconds. */
const everyMillis = 500

/** What PostgreSQL and the pool say at an incident. */
export interface Circumstances {
  readonly holders: readonly Holder[]
  readonly blockings: readonly Blocking[] | null
}

/** An incident whose blocker is not known before PostgreSQL was asked. */
export interface FoundIncident {
  readonly incident: Omit<Incident, 'blocker'>
  /** What the incident waited for, in words. */
  readonly blocker: (circumstances: Circumstances) => string | null
}

/** The database that is looked at, and who is told. */
export interface FinderOptions {
  readonly place: DatabasePlace
  readonly watch: ActivityWatch
  /** 0 for none. */
  readonly slowRequestMillis: number
  readonly found: (incident: FoundIncident) => void
}

type WorkMessage = StatementMessage | TransactionMessage

/** Finds incidents until its end. */
export class IncidentFinder {
  readonly #options: FinderOptions
  readonly #slow: SlowRequests
  readonly #unfollow: () => void
  readonly #timer: NodeJS.Timeout

  constructor (options: FinderOptions) {
    this.#options = options
    this.#slow = new SlowRequests(options.slowRequestMillis)
    this.#unfollow = follow(options.place, {
      statementStarted: (message) => this.#slow.begin(message),
      transactionStarted: (message) => this.#slow.begin(message),
      statementEnding: (message) => this.#statementEnding(message),
      transactionEnding: (message) => this.#transactionEnding(message),
      waitEnding: (message) => { if (message.error instanceof PoolTimeoutError) this.#waitTimedOut(message, message.error) },
      leaked: (message) => this.#leaked(message)
    })
    this.#timer = setInterval(() => {
      for (const work of this.#slow.among(this.#log.open)) this.#tellSlow(work.message)
    }, everyMillis).unref()
  }

  end (): void {
    clearInterval(this.#timer)
    this.#unfollow()
  }

  get #log (): ActivityWatch['log'] { return this.#options.watch.log }

  readonly #find = (processId: number) => this.#options.watch.processOf(processId)

  #statementEnding (message: StatementMessage): void {
    const { error, sqlState, transaction } = message
    if (sqlState === sqlStates.deadlockDetected) this.#deadlock(message)
    else if (error instanceof CommitUnknownError && transaction === undefined) this.#tell('lost commit', message)
    else this.#tellIfSlow(message)
  }

  #transactionEnding (message: TransactionMessage): void {
    if (message.outcome === 'unknown') this.#tell('lost commit', message)
    else this.#tellIfSlow(message)
  }

  #deadlock (message: StatementMessage): void {
    const { processId = null } = message
    // The others go on at once, and may have committed before the victim's error has come.
    const words = deadlockWords(deadlockProcesses(message.error), processId, (other) => {
      const last = this.#log.lastOn(other)
      return last && { route: last.route, text: latestText(last) }
    })
    this.#tell('deadlock', message, () => words)
  }

  #tellIfSlow (message: WorkMessage): void {
    if (this.#slow.isSlow(message)) this.#tellSlow(message)
  }

  /** Without a process it waits for a connection. */
  #tellSlow (message: WorkMessage): void {
    const processId = this.#log.processOf(message)
    this.#tell('slow request', message, ({ holders, blockings }) => processId === undefined ? holderWords(holders, this.#find) : lockWords(blockings, processId))
  }

  #waitTimedOut ({ route, [messageCaller]: caller }: AcquireMessage, { code }: PoolTimeoutError): void {
    const text = latestText(this.#log.workFor(caller)) || null
    this.#options.found({
      incident: { kind: 'pool time-out', at: Date.now(), route, text, code, sqlState: null, processId: null },
      blocker: ({ holders }) => holderWords(holders, this.#find)
    })
  }

  #leaked (message: LeakMessage): void {
    const { route, processId = null, heldMillis, state } = message
    const text = latestText(this.#log.workOn(processId)) || null
    const itself = `${route} (${processId === null ? '' : `process ${processId}, `}${state} for ${seconds(heldMillis)})`
    this.#options.found({
      incident: { kind: 'leak', at: Date.now(), route, text, code: null, sqlState: null, processId },
      blocker: ({ blockings }) => lockWords(blockings, processId) ?? itself
    })
  }

  #tell (kind: Incident['kind'], message: WorkMessage, blocker: FoundIncident['blocker'] = () => null): void {
    const { route, error, sqlState = null } = message
    const text = 'text' in message ? clipped(message.text) : latestText(this.#log.workOf(message)) || null
    const processId = this.#log.processOf(message) ?? null
    this.#options.found({ incident: { kind, at: Date.now(), route, text, code: codeOf(error) ?? null, sqlState, processId }, blocker })
  }
}
