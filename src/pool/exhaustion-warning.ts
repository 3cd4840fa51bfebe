import { stackOf } from './connection-usage.js'
import type { ConnectionUsage } from './connection-usage.js'
import type { CheckedOut } from './checked-out.js'
import type { Waiter } from './acquire-queue.js'
import type { Caller } from '../statement/caller.js'
import type { Settings } from '../settings/settings.js'

/** One warning in this time is enough, in milliseconds, or in that of the wait if it is longer. */
const quietMillis = 1000

/** How many holders are named, those with the most connections first. */
const namedHolders = 10

/** What there is to tell of. */
export interface PoolState {
  readonly checkedOut: CheckedOut
  /** All connections in use, also those that were taken past the sessions. */
  readonly usages: () => ConnectionUsage[]
  /** Those who still wait. */
  readonly waiting: () => number
  /** How many connections there can be for now. */
  readonly limit: () => number
}

/** All connections of one holder. */
interface Holder {
  readonly holder: string
  readonly connections: number
  /** The longest. */
  readonly heldSeconds: number
  readonly idleInTransaction: number
  /** Of the one held longest. */
  readonly stack: string
}

const ownFault = 'a request that holds a database connection waited in vain for another one: use request.db, or the scope that was passed to your function, for all that belongs together, and open no second transaction inside one'
const exhausted = 'all database connections were held for longer than others could wait: whoever holds one must not wait for another (use request.db or the scope, open no second transaction inside one); else make transactions shorter, or raise pool.size and pool.maxOverflow'
const unreachable = 'no database connection could be opened within the wait limit'

/** Tells the log who holds the connections when others wait for one in vain: once in a while, however many they are. */
export class ExhaustionWarning {
  readonly #settings: Settings
  readonly #state: PoolState
  #quietUntil = 0
  #refused = 0

  constructor (settings: Settings, state: PoolState) {
    this.#settings = settings
    this.#state = state
  }

  /** Some have waited for as long as they may, and were refused. */
  tell (waiters: readonly Waiter[]): void {
    const { logger, pool: { max, timeoutMillis } } = this.#settings
    const limit = this.#state.limit()
    this.#refused += waiters.length
    const [first] = waiters
    const now = performance.now()
    if (first === undefined || now < this.#quietUntil) return

    const refused = this.#refused
    this.#refused = 0
    this.#quietUntil = now + Math.max(timeoutMillis, quietMillis)
    const usages = this.#state.usages()
    const { caller } = (waiters.find(({ request }) => this.#holdsOne(request.caller)) ?? first).request
    const isOwnFault = this.#holdsOne(caller)
    logger.warn({
      waited: caller.label,
      holdsOneItself: isOwnFault,
      stack: stackOf(caller),
      refused,
      waiting: this.#state.waiting(),
      max,
      limit,
      inUse: usages.length,
      holders: groupByHolder(usages).slice(0, namedHolders)
    }, isOwnFault ? ownFault : usages.length < limit ? unreachable : exhausted)
  }

  #holdsOne (caller: Caller): boolean {
    return [...this.#state.checkedOut].some((connection) => isWithin(caller, connection.caller))
  }
}

/** Whether one is the other, or works for it. */
function isWithin (caller: Caller | undefined, other: Caller): boolean {
  return caller !== undefined && (caller === other || isWithin(caller.within, other))
}

/** The holdings come with the longest first. */
function groupByHolder (usages: readonly ConnectionUsage[]): Holder[] {
  const groups = new Map<string, [longest: ConnectionUsage, ...others: ConnectionUsage[]]>()
  for (const usage of usages) {
    const group = groups.get(usage.holder)
    if (group === undefined) groups.set(usage.holder, [usage])
    else group.push(usage)
  }
  return Array.from(groups, ([holder, group]) => ({
    holder,
    connections: group.length,
    heldSeconds: group[0].heldSeconds,
    idleInTransaction: group.filter(({ state }) => state === 'idle in transaction').length,
    stack: group[0].stack
  })).sort((one, other) => other.connections - one.connections)
}
