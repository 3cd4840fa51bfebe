import { openPools } from '../channels/open-pools.js'
import { isSameDatabase } from './follow.js'
import { clipped } from './clipped.js'
import type { DatabasePlace } from '../channels/messages.js'
import type { Holding, OpenPool } from '../channels/open-pools.js'
import type { Holder, PoolState } from './activity.js'
import type { ConnectionStates } from './second-counter.js'

/** The open pools of a database: its own, and those of its replicas. */
function poolsOf (place: DatabasePlace): OpenPool[] {
  return [...openPools].filter((pool) => isSameDatabase(place, pool))
}

/** The counts of each pool of a database. */
export function poolStates (place: DatabasePlace): PoolState[] {
  return poolsOf(place).map((open) => {
    const { size, max, total, idle, inUse, waiting } = open.counts()
    return { pool: open.pool, size, max, total, idle, inUse, waiting }
  })
}

/** The connections of a database by state, in all of its pools. */
export function connectionStates (place: DatabasePlace): ConnectionStates {
  const pools = poolsOf(place)
  const held = pools.flatMap((pool) => pool.holdings())
  const counts = pools.map((pool) => pool.counts())
  const running = held.filter(({ state }) => state === 'running').length
  const idleInTransaction = held.filter(({ state }) => state === 'idle in transaction').length
  const sum = (key: 'total' | 'waiting'): number => counts.reduce((total, count) => total + count[key], 0)
  return { running, idleInTransaction, idle: Math.max(sum('total') - running - idleInTransaction, 0), waiting: sum('waiting') }
}

/** The connections in use, those that are held longest first; with their stacks, if they are asked for. */
export function holders (place: DatabasePlace, stacks: boolean): Holder[] {
  const all = poolsOf(place).flatMap((open) => open.holdings().map((holding) => ({ pool: open.pool, holding })))
  all.sort((one, other) => other.holding.heldMillis - one.holding.heldMillis)
  return all.map(({ pool, holding }) => {
    const { route, heldMillis, state, texts, processId = null } = holding
    return { pool, route, heldMillis, state, texts: texts.map(clipped), processId, stack: stacks ? holding.stack() : null }
  })
}

/** The connections in use to the server of the database itself: the processes of a replica are numbered by another server. */
export function primaryHoldings (place: DatabasePlace): Holding[] {
  return poolsOf(place).filter(({ pool }) => pool === place.database).flatMap((pool) => pool.holdings())
}
