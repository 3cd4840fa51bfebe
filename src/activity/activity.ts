/**
 * What a database does, as the live page and the flight recorder show it: plain data that survives JSON. Texts have `$1` in place of values; nothing here is
 * the value of a parameter or of a row.
 */
import type { PoolInfo } from '../channels/pool-info.js'

/** One second of a database. */
export interface Second {
  /** Its end, in milliseconds since 1970. */
  readonly at: number
  /** The connections at its end, by state, and the requests that wait for one. */
  readonly running: number
  readonly idleInTransaction: number
  readonly idle: number
  readonly waiting: number
  /** The waits for a connection that ended in it, and how long they took, in milliseconds; null without one. */
  readonly waits: number
  readonly waitP50: number | null
  readonly waitP99: number | null
  readonly commits: number
  readonly rollbacks: number
  /** Commits whose outcome is unknown. */
  readonly unknown: number
  readonly statements: number
  readonly failures: number
}

/** A connection in use. */
export interface Holder {
  readonly pool: string
  readonly route: string
  readonly heldMillis: number
  /** `running`, `idle in transaction` or `idle`. */
  readonly state: string
  readonly texts: readonly string[]
  readonly processId: number | null
  /** Where the program requested it; null if it was not asked for, or is not known. */
  readonly stack: string | null
}

/** A process of PostgreSQL that waits for a lock, or that holds one. Of other programs only the name is known. */
export interface Process {
  readonly processId: number
  /** Undefined for a connection that is not of this process. */
  readonly route?: string | undefined
  readonly application: string
  readonly state: string
  readonly text: string
  /** How long it has waited, or has been in its transaction, in milliseconds. */
  readonly millis: number
}

/** A process that waits, and those that it waits for. */
export interface Blocking {
  readonly waiting: Process
  readonly blockers: readonly Process[]
}

/** Statements that have the same text. */
export interface Shape {
  readonly id: string
  readonly text: string
  readonly routes: readonly string[]
  readonly count: number
  readonly failures: number
  readonly rows: number
  readonly totalMillis: number
  readonly p50Millis: number
  readonly p99Millis: number
  readonly longestMillis: number
}

/** A statement of a recorded transaction. */
export interface RecordedStatement {
  readonly at: number
  readonly text: string
  readonly millis: number | null
  readonly rows: number | null
  readonly sqlState: string | null
  readonly code: string | null
}

/** A transaction that has ended, or is still open. A statement that commits by itself is one, too. */
export interface RecordedTransaction {
  readonly at: number
  readonly route: string
  readonly attempt: number
  readonly processId: number | null
  readonly waitMillis: number | null
  readonly millis: number | null
  /** `open` as long as it has not ended. */
  readonly outcome: 'committed' | 'rolledBack' | 'unknown' | 'none' | 'open'
  readonly code: string | null
  readonly sqlState: string | null
  readonly statementCount: number
  /** The latest, at most a hundred. */
  readonly statements: readonly RecordedStatement[]
}

/** Why the flight recorder wrote a file. */
export interface Incident {
  readonly kind: 'pool time-out' | 'deadlock' | 'leak' | 'lost commit' | 'slow request'
  readonly at: number
  readonly route: string
  /** The statement at the moment of the incident, as far as it is known. */
  readonly text: string | null
  /** What the incident waited for, in words: routes and processes; null if nothing did. */
  readonly blocker: string | null
  readonly code: string | null
  readonly sqlState: string | null
  readonly processId: number | null
}

/** A pool by its name, and its counts. */
export interface PoolState extends PoolInfo {
  readonly pool: string
}

/** Everything that a page shows. */
export interface Activity {
  readonly database: string
  /** In milliseconds since 1970. */
  readonly at: number
  readonly pools: readonly PoolState[]
  /** The last minute, oldest first. */
  readonly seconds: readonly Second[]
  readonly holders: readonly Holder[]
  /** Null if PostgreSQL could not be asked. */
  readonly blockings: readonly Blocking[] | null
  /** The shapes that took the most time, longest first; at most twenty. */
  readonly shapes: readonly Shape[]
  /** Only in a recording. */
  readonly incident?: Incident | undefined
  /** Only in a recording: the latest transactions, oldest first. */
  readonly transactions?: readonly RecordedTransaction[] | undefined
}
