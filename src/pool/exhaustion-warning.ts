import { stackOf } from './connection-usage.js'
import type { Holding } from './connection-usage.js'
import type { Loans } from './checked-out.js'
import type { Waiter } from './acquire-queue.js'
import type { Borrower } from '../statement/caller.js'
import type { Settings } from '../settings/settings.js'

/** One warning in this time is enough, in milliseconds, or in that of the wait if it is longer. */
const quietMillis = 1000

/** How many holders are named, those with the most connections first. */
const namedHolders = 10

/** What there is to tell of. */
export interface PoolState {
  readonly loans: Loans
  /** All connections in use, also those that were taken past the sessions. */
  readonly holdings: () => Holding[]
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
    const holdings = this.#state.holdings()
    const { borrower } = (waiters.find(({ applicant }) => this.#holdsOne(applicant.borrower)) ?? first).applicant
    const isOwnFault = this.#holdsOne(borrower)
    logger.warn({
      waited: borrower.label,
      holdsOneItself: isOwnFault,
      stack: stackOf(borrower),
      refused,
      waiting: this.#state.waiting(),
      max,
      limit,
      inUse: holdings.length,
      holders: groupByHolder(holdings).slice(0, namedHolders)
    }, isOwnFault ? ownFault : holdings.length < limit ? unreachable : exhausted)
  }

  #holdsOne (borrower: Borrower): boolean {
    return [...this.#state.loans].some((loan) => isWithin(borrower, loan.borrower))
  }
}

/** Whether one is the other, or works for it. */
function isWithin (borrower: Borrower | undefined, other: Borrower): boolean {
  return borrower !== undefined && (borrower === other || isWithin(borrower.within, other))
}

/** The holdings come with the longest first. */
function groupByHolder (holdings: readonly Holding[]): Holder[] {
  const groups = new Map<string, [longest: Holding, ...others: Holding[]]>()
  for (const holding of holdings) {
    const group = groups.get(holding.holder)
    if (group === undefined) groups.set(holding.holder, [holding])
    else group.push(holding)
  }
  return Array.from(groups, ([holder, group]) => ({
    holder,
    connections: group.length,
    heldSeconds: group[0].heldSeconds,
    idleInTransaction: group.filter(({ state }) => state === 'idle in transaction').length,
    stack: group[0].stack
  })).sort((one, other) => other.connections - one.connections)
}
