import type { DatabasePlace } from './messages.js'
import type { PoolInfo } from './pool-info.js'

/** A connection in use: who holds it, since when, and what it runs. */
export interface Holding {
  readonly route: string
  readonly heldMillis: number
  /** `running`, `idle in transaction` or `idle`. */
  readonly state: string
  /** The SQL that runs now, with `$1` in place of values. */
  readonly texts: readonly string[]
  readonly processId: number | undefined
  /** Where the program requested the connection. Resolving it takes time: ask only for what is shown. */
  stack (): string
}

/** An open pool of this process. */
export interface OpenPool extends Readonly<DatabasePlace> {
  /** That of its database, and `default/replica 1` for its first replica. */
  readonly pool: string
  counts (): PoolInfo
  /** The connections in use, the one that is held longest first. */
  holdings (): Holding[]
}

/** The open pools of this process, in the order of their opening. */
export const openPools: Set<OpenPool> = new Set()
