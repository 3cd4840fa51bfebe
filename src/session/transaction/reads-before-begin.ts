import { List } from '../../runtime/linked-list.js'
import { ignore } from '../../runtime/promises.js'
import { sqlStates } from '../../errors/sqlstate-codes.js'
import { isConnectionLost } from '../../errors/to-database-error.js'
import { beforeStatement } from './prelude.js'
import { replayGuard } from '../../replicas/replay-guard.js'
import { cancelUntilIdle } from '../../connection/cancel-until-idle.js'
import type { Task } from '../../connection/batch.js'
import type { ContextLead } from './context-lead.js'
import type { Replica } from '../../replicas/replica.js'
import type { ReplicaRoute } from './replica-route.js'
import type { Outcome } from '../../connection/outcome.js'
import type { Entry } from '../../runtime/linked-list.js'
import type { Cancel, ConnectionSource, LentConnection, Wish } from '../../pool/connection-source.js'
import type { TransactionSettings } from '../../settings/transaction-options.js'
import type { Statement } from '../../statement/statement.js'

/** The callbacks of a read: one of the first three is called, and then `done`. */
export interface Reader {
  answered (outcome: Outcome, connection: LentConnection): void
  refused (error: Error): void
  /** The connection's isolation level differs from READ COMMITTED: nothing was read. Without this callback the level does not matter. */
  unsuited? (): void
  done (): void
  /** Whether the read may share a connection with others. */
  readonly shares: boolean
}

interface Read {
  cancel: Cancel
  connection: LentConnection | undefined
  /** Set if the read was cancelled: resolves when the cancel request can hit no other statement. */
  interrupted: Promise<void> | undefined
  entry: Entry<Read> | undefined
}

/** Requests a connection: of a replica, or of the primary. */
export type Acquire = (wish: Wish, replica?: Replica) => Cancel

/**
 * The plain reads of a session that has not begun its transaction: each takes a connection from a pool for one round trip.
 * A read that a replica does not answer is repeated on the primary, unless it was cancelled, for example by its time limit.
 */
export class ReadsBeforeBegin {
  readonly #reads = new List<Read>()
  readonly #acquire: Acquire
  readonly #route: ReplicaRoute | undefined
  readonly #lead: ContextLead | undefined
  #isClosed = false

  constructor (acquire: Acquire, route: ReplicaRoute | undefined, lead: ContextLead | undefined) {
    this.#acquire = acquire
    this.#route = route
    this.#lead = lead
  }

  /** Whether no read is running. */
  get isIdle (): boolean { return this.#reads.size === 0 }

  /** Reads over the next connection that is available. */
  start (statement: Statement, reader: Reader): void {
    const read: Read = { cancel: ignore, connection: undefined, interrupted: undefined, entry: undefined }
    read.entry = this.#reads.add(read)
    const replica = this.#route?.replica
    if (replica === undefined) this.#readOnPrimary(read, statement, reader)
    else this.#readOnReplica(replica, read, { statement, reader })
  }

  #readOnPrimary (read: Read, statement: Statement, reader: Reader): void {
    const unsuited = (): void => {
      reader.unsuited?.()
      this.#end(read, reader)
    }
    read.cancel = this.#acquire({
      read: reader.shares ? { statement, answered: (outcome, connection) => this.#answered(read, reader, { outcome, connection }) } : undefined,
      lend: (connection) => {
        read.connection = connection
        if (connection.readCommitted || reader.unsuited === undefined) {
          const done = (outcome: Outcome): void => this.#answered(read, reader, { outcome, connection })
          connection.send([{ statement, done, unsuited: reader.unsuited && unsuited }], beforeStatement(connection, statement, this.#lead))
        } else unsuited()
      },
      refuse: (error) => {
        reader.refused(error)
        this.#end(read, reader)
      }
    })
  }

  #readOnReplica (replica: Replica, read: Read, { statement, reader }: { statement: Statement, reader: Reader }): void {
    const repeat = (): void => {
      this.#route?.leave()
      read.connection?.release()
      read.connection = undefined
      this.#readOnPrimary(read, statement, reader)
    }
    read.cancel = this.#acquire({
      lend: (connection) => {
        read.connection = connection
        if (!connection.readCommitted) return repeat()
        connection.send(guarded({
          statement,
          done: (outcome) => {
            const isRepeated = !this.#isClosed && isFailure(outcome)
            if (isConnectionLost(outcome.error)) replica.leaveOut()
            if (isRepeated) repeat()
            else this.#answered(read, reader, { outcome, connection })
          },
          unsuited: repeat
        }, this.#route?.position, replica), beforeStatement(connection, statement, this.#lead))
      },
      refuse: (error) => {
        if (!this.#isClosed) return repeat()
        reader.refused(error)
        this.#end(read, reader)
      }
    }, replica)
  }

  #answered (read: Read, reader: Reader, { outcome, connection }: { outcome: Outcome, connection: LentConnection }): void {
    reader.answered(outcome, connection)
    // A late cancel request must not hit the next user of the connection.
    if (read.interrupted === undefined) this.#end(read, reader)
    else read.interrupted.then(() => this.#end(read, reader))
  }

  #end (read: Read, reader: Reader): void {
    read.connection?.release()
    if (read.entry !== undefined) this.#reads.delete(read.entry)
    reader.done()
  }

  /** Refuses the reads that have no connection yet. */
  close (reason: () => Error): void {
    this.#isClosed = true
    for (const { cancel } of this.#reads.all()) cancel(reason())
  }

  /** Cancels the running reads, whose session has ended. */
  async abandon (timeoutMillis: number): Promise<void> {
    await Promise.all(this.#reads.all().map((read) => {
      read.interrupted = read.connection && cancelUntilIdle(read.connection, timeoutMillis)
      return read.interrupted
    }))
  }
}

/** A read, and the guard in front of it if the read follows a commit. */
function guarded (task: Task, position: bigint | undefined, replica: Replica): Task[] {
  if (position === undefined) return [task]
  const missed = ({ error }: Outcome): void => { if (Object(error).code === sqlStates.invalidTextRepresentation) replica.miss(position) }
  return [{ statement: replayGuard(position), done: missed, unsuited: task.unsuited }, task]
}

/**
 * Whether the primary has to answer in place of a replica: after a conflict with recovery, a lost connection, or any other failure,
 * because the replica may lag behind a migration. Only a statement that was cancelled is not repeated: it took too long.
 */
export function isFailure ({ error }: Outcome): boolean {
  return error !== undefined && Object(error).code !== sqlStates.queryCanceled
}

/** Whether each statement of a transaction has a snapshot of its own: READ COMMITTED, or READ UNCOMMITTED, which is the same. */
export function hasOwnSnapshots ({ isolationLevel }: TransactionSettings, pool: ConnectionSource, connection: LentConnection | undefined): boolean {
  if (isolationLevel !== undefined) return isolationLevel.startsWith('read')
  return pool.readCommitted && connection?.readCommitted !== false
}
