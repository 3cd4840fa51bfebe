/** Counts of the pool, for load balancers and dashboards. */
export interface PoolInfo {
  /** Connections kept when idle. */
  readonly size: number
  /** Connections at most. */
  readonly max: number
  /** Connections open now. */
  readonly total: number
  readonly idle: number
  /** Connections that are checked out, or on their way to a waiter. */
  readonly inUse: number
  /** Requests that wait for a connection. */
  readonly waiting: number
}
