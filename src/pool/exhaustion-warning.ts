import { stackOf } from './connection-usage.js'
import type { ConnectionUsage } from './connection-usage.js'
import type { CheckedOut } from './checked-out.js'
import type { AcquireRequest, Waiter } from './acquire-queue.js'
import type { Caller } from '../statement/caller.js'
import type { Settings } from '../settings/settings.js'

/** The shortest time between two warnings, in milliseconds; the pool's wait limit if that is longer. */
const quietMillis = 1000

/** How many holders the warning names, those with the most connections first. */
const namedHolders = 10

/** The state of the pool that the warning describes. */
export interface PoolState {
  readonly checkedOut: CheckedOut
  /** All connections in use, also those of `pool.connect()`. */
  readonly usages: () => ConnectionUsage[]
  /** How many requests still wait. */
  readonly waiting: () => number
  /** How many connections there can be at present. */
  readonly limit: () => number
}

/** All connections of one holder. */
interface Holder {
  readonly holder: string
  readonly connections: number
  /** Of the connection held longest. */
  readonly heldSeconds: number
  readonly idleInTransaction: number
  /** Where the connection held longest was requested. */
  readonly stack: string
}

const ownFault = 'a request that holds a database connection waited in vain for another one: use request.db, or the scope that was passed to your function, for everything that belongs together, and open no second transaction inside one'
const exhausted = 'all database connections were held for longer than others could wait: code that holds one must not wait for another (use request.db or the scope, open no second transaction inside one); else make transactions shorter, or raise pool.size and pool.maxOverflow'
const crowded = 'more requests wait for a database connection than can be served within the wait limit, so further ones are refused at once: make transactions shorter, or raise pool.size and pool.maxOverflow'
const unreachable = 'no database connection could be opened within the wait limit'

/** Logs the holders of the connections when a waiter was refused; at most once in a while. */
export class ExhaustionWarning {
  readonly #settings: Settings
  readonly #state: PoolState
  #quietUntil = 0
  #refused = 0

  constructor (settings: Settings, state: PoolState) {
    this.#settings = settings
    this.#state = state
  }

  /** Reports a request that was refused at once, because it would probably have waited in vain. */
  tellOfCrowd (request: AcquireRequest): void { this.#tell([{ request }], crowded) }

  /** Reports waiters that were refused because their time was up. */
  tell (waiters: readonly Waiter[]): void { this.#tell(waiters) }

  #tell (waiters: ReadonlyArray<Pick<Waiter, 'request'>>, reason?: string): void {
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
    }, isOwnFault ? ownFault : reason ?? (usages.length < limit ? unreachable : exhausted))
  }

  #holdsOne (caller: Caller): boolean {
    return [...this.#state.checkedOut].some((connection) => isWithin(caller, connection.caller))
  }
}

/** Whether a caller is `other`, or runs inside its scope. */
function isWithin (caller: Caller | undefined, other: Caller): boolean {
  return caller !== undefined && (caller === other || isWithin(caller.within, other))
}

/** Groups usages by holder; the longest one comes first in `usages`. */
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
