/** What the messages of the channels carry: names, texts with placeholders, counts and times. Never the value of a parameter or of a row. */
import type { Caller } from '../statement/caller.js'

/** The property of a message that holds its caller: in a request, the caller that all messages of a session of the request share. JSON leaves it out. */
export const messageCaller = Symbol('data-access.caller')

/** Who a message is about. */
interface Called { readonly [messageCaller]: Caller }

/** The database that a message is about, and its server. */
export interface DatabasePlace {
  /** The name of the database in the program; `default` for the one without a name. */
  readonly database: string
  /** The name of the database in PostgreSQL, if it is known. */
  namespace: string | undefined
  /** The host name, address or socket folder of the server, if it is known. With several hosts it is known at the end. */
  serverAddress: string | undefined
  serverPort: number | undefined
}

/** How something ended. The properties are set before the end is published. */
export interface Ending {
  /** The typed error that the caller receives. Log its `code`: a `cause` may hold values in properties that are not enumerable. */
  error?: Error | undefined
  /** PostgreSQL's SQLSTATE, if PostgreSQL refused it. */
  sqlState?: string | undefined
}

/**
 * One statement that a program runs, in a session, on a database or as a stream. The statements that the package adds (BEGIN, COMMIT, savepoints, settings)
 * have no message of their own; {@link TransactionMessage} is about their transaction.
 */
export interface StatementMessage extends DatabasePlace, Called, Ending {
  /** The label of the caller: for example `GET /users/:id`, or `database` outside a request. */
  readonly route: string
  /** The method of the repository, for example `create`, or `execute` for SQL of the program's own. */
  readonly operation: string
  readonly table: string | undefined
  /** `read`, `write`, or `raw` for the program's own SQL. */
  readonly kind: 'read' | 'write' | 'raw'
  /** The name under which PostgreSQL prepares it, if it has one. */
  readonly name: string | undefined
  /** The SQL, with `$1` in place of values. */
  readonly text: string
  /** The transaction that it is part of; undefined if it commits by itself, or nobody subscribes to transactions. */
  readonly transaction: TransactionMessage | undefined
  /** How many rows were returned or changed; undefined if it failed. */
  rows?: number | undefined
  /** How many rows were returned; undefined if it failed. */
  returnedRows?: number | undefined
  /** How many statements its text held, if they were several. */
  batchSize?: number | undefined
  /** The time from its sending to its response, in milliseconds; undefined if it was never sent. */
  durationMillis?: number | undefined
  /** The process of PostgreSQL that ran it, as the server or its pooler reported it. */
  processId?: number | undefined
}

/**
 * How a transaction ended. `none`: it never began, for example because no connection was free. `unknown`: the response to COMMIT was lost.
 */
export type TransactionOutcome = 'committed' | 'rolledBack' | 'unknown' | 'none'

/** One transaction of a session, from its first statement to the response to COMMIT or ROLLBACK. */
export interface TransactionMessage extends DatabasePlace, Called, Ending {
  readonly route: string
  /** The isolation level that was asked for; undefined for the server's default. */
  readonly isolationLevel: string | undefined
  readonly readOnly: boolean
  /** 1, and one more for each repetition with `retries`. */
  readonly attempt: number
  /** How many statements the program has run in it so far. */
  statements: number
  durationMillis?: number | undefined
  outcome?: TransactionOutcome | undefined
  processId?: number | undefined
}

/**
 * How a wait for a connection ended. `timedOut`: none was free in time, or too many wait. `failed`: none could be opened. `cancelled`: whoever waited no longer
 * needs it.
 */
export type AcquireOutcome = 'lent' | 'timedOut' | 'failed' | 'cancelled'

/** One wait for a connection of a pool. One that is free at once is a wait, too. */
export interface AcquireMessage extends DatabasePlace, Called, Ending {
  /** The name of the pool: that of its database, and `default/replica 1` for its first replica. */
  readonly pool: string
  readonly route: string
  /** How many others waited at the start. */
  readonly waiting: number
  waitMillis?: number | undefined
  outcome?: AcquireOutcome | undefined
  processId?: number | undefined
}

/** A connection that was given back. */
export interface ReleaseMessage extends DatabasePlace, Called {
  readonly pool: string
  readonly route: string
  readonly heldMillis: number
  /** Whether it was destroyed instead of kept. */
  readonly isDestroyed: boolean
  readonly processId: number | undefined
}

/** A connection that a pool of this package has opened. */
export interface ConnectMessage extends DatabasePlace {
  readonly pool: string
  /** From the making of the client to the server's readiness, in milliseconds; undefined for clients of a pool of the program's own. */
  readonly durationMillis: number | undefined
  readonly processId: number
}

/** A connection that is held for longer than `leakWarningSeconds`. */
export interface LeakMessage extends DatabasePlace {
  readonly pool: string
  readonly route: string
  readonly heldMillis: number
  /** `running`, `idle in transaction` or `idle`. */
  readonly state: string
  /** Where the program requested it. */
  readonly stack: string
  readonly processId: number | undefined
}

/** A transaction that collided with another one and is repeated. */
export interface RetryMessage extends DatabasePlace, Ending {
  readonly route: string
  /** The attempt that failed, from 1. */
  readonly attempt: number
}
