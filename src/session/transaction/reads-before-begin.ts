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
import type { Cancel, ConnectionSource, LentConnection } from '../../pool/connection-source.js'
import type { ReadRequest } from '../../pool/shared/plain-read.js'
import type { Caller } from '../../statement/caller.js'
import type { SessionContext } from './session-context.js'
import type { TransactionSettings } from '../../settings/transaction-options.js'
import type { Statement } from '../../statement/statement.js'

/** A read that was requested of a session. */
interface Requested { readonly statement: Statement }

/** The session of the reads. For each read one of the first three methods is called, and then `readEnded`. */
export interface ReadingSession<T extends Requested> {
  /** For whom connections are taken. */
  readonly caller: Caller
  /** The context that leads every statement, if there is one. */
  readonly lead: ContextLead | undefined
  answer (requested: T, outcome: Outcome, connection: LentConnection): void
  reject (requested: T, error: Error): void
  /** The connection's isolation level differs from READ COMMITTED: nothing was read. Without this method the level does not matter. */
  unsuited? (requested: T): void
  readEnded (): void
}

/** A read on its way: the request for its connection, and what becomes of it. */
class Read<T extends Requested> implements ReadRequest<LentConnection> {
  readonly caller: Caller
  cancel: Cancel = ignore
  connection: LentConnection | undefined
  /** Set if the read was cancelled: resolves when the cancel request can hit no other statement. */
  interrupted: Promise<void> | undefined
  readonly #reads: ReadsBeforeBegin<T>
  readonly #requested: T
  readonly #mayShare: boolean
  readonly #entry: Entry<Read<T>>
  /** Where it goes; undefined for the primary. */
  #replica: Replica | undefined

  constructor (reads: ReadsBeforeBegin<T>, requested: T, mayShare: boolean) {
    this.caller = reads.session.caller
    this.#reads = reads
    this.#requested = requested
    this.#mayShare = mayShare
    this.#entry = reads.running.add(this)
    this.#replica = reads.route?.replica
  }

  get statement (): Statement { return this.#requested.statement }

  /** Requests the connection. */
  start (): void {
    const { pool } = this.#reads.context
    if (this.#replica !== undefined) this.cancel = this.#replica.acquire(this)
    else this.cancel = this.#mayShare && pool.shared !== undefined ? pool.shared.acquire(this) : pool.acquire(this)
  }

  lend (connection: LentConnection): void {
    this.connection = connection
    const { statement } = this
    const { lead, unsuited } = this.#reads.session
    if (this.#replica !== undefined) return this.#readOn(this.#replica, connection)
    if (unsuited !== undefined && !connection.readCommitted) return this.#unsuited()
    const done = (outcome: Outcome): void => this.answered(outcome, connection)
    connection.send([{ statement, done, unsuited: unsuited && (() => this.#unsuited()) }], beforeStatement(connection, statement, lead))
  }

  refuse (error: Error): void {
    if (this.#replica === undefined) this.#reject(error)
    else this.#repeat()
  }

  #reject (error: Error): void {
    this.#reads.session.reject(this.#requested, error)
    this.#end()
  }

  #readOn (replica: Replica, connection: LentConnection): void {
    if (!connection.readCommitted) return this.#repeat()
    const { statement } = this
    connection.send(guarded({
      statement,
      done: (outcome) => {
        const isRepeated = this.#reads.end === undefined && isFailure(outcome)
        if (isConnectionLost(outcome.error)) replica.leaveOut()
        if (isRepeated) this.#repeat()
        else this.answered(outcome, connection)
      },
      unsuited: () => this.#repeat()
    }, this.#reads.route?.position, replica), beforeStatement(connection, statement, this.#reads.session.lead))
  }

  /** Reads on the primary, unless the session has ended. */
  #repeat (): void {
    const { end } = this.#reads
    if (end !== undefined) return this.#reject(end())
    this.#reads.route?.leave()
    this.connection?.release()
    this.connection = undefined
    this.#replica = undefined
    this.start()
  }

  #unsuited (): void {
    this.#reads.session.unsuited?.(this.#requested)
    this.#end()
  }

  answered (outcome: Outcome, connection: LentConnection): void {
    this.#reads.session.answer(this.#requested, outcome, connection)
    this.#end()
  }

  /** Ends when no late cancel request can hit the next user of the connection. */
  #end (): void {
    if (this.interrupted === undefined) this.#leave()
    else this.interrupted.then(() => this.#leave())
  }

  #leave (): void {
    this.connection?.release()
    this.#reads.running.delete(this.#entry)
    this.#reads.session.readEnded()
  }
}

/**
 * The plain reads of a session that has not begun its transaction: each takes a connection from a pool for one round trip.
 * A read that a replica does not answer is repeated on the primary, unless it was cancelled, for example by its time limit.
 */
export class ReadsBeforeBegin<T extends Requested> {
  readonly session: ReadingSession<T>
  readonly context: Pick<SessionContext, 'pool'>
  readonly route: ReplicaRoute | undefined
  readonly running = new List<Read<T>>()
  /** Why the session has ended; undefined until then. */
  end: (() => Error) | undefined

  constructor (session: ReadingSession<T>, context: Pick<SessionContext, 'pool'>, route: ReplicaRoute | undefined) {
    this.session = session
    this.context = context
    this.route = route
  }

  /** Whether no read is running. */
  get isIdle (): boolean { return this.running.size === 0 }

  /** Reads over the next connection that is available, or, if it may, over one that is shared with others. */
  start (requested: T, mayShare: boolean): void { new Read(this, requested, mayShare).start() }

  /** Refuses the reads that have no connection yet. */
  close (reason: () => Error): void {
    this.end = reason
    for (const { cancel } of this.running.all()) cancel(reason())
  }

  /** Cancels the running reads, whose session has ended. */
  async abandon (timeoutMillis: number): Promise<void> {
    await Promise.all(this.running.all().map((read) => {
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
