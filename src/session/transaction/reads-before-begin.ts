import { List } from '../../runtime/linked-list.js'
import { ignore } from '../../runtime/promises.js'
import { cancelUntilIdle } from '../../connection/cancel-until-idle.js'
import type { Outcome } from '../../connection/outcome.js'
import type { Entry } from '../../runtime/linked-list.js'
import type { AcquireRequest } from '../../pool/acquire-queue.js'
import type { Cancel, ConnectionSource, LentConnection } from '../../pool/connection-source.js'
import type { TransactionSettings } from '../../settings/transaction-options.js'
import type { Statement } from '../../statement/statement.js'

/** The callbacks of a read: one of the first three is called, and then `done`. */
export interface Reader {
  answered (outcome: Outcome, connection: LentConnection): void
  refused (error: Error): void
  /** The connection's isolation level differs from READ COMMITTED: nothing was read. */
  unsuited (): void
  done (): void
}

interface Read {
  cancel: Cancel
  connection: LentConnection | undefined
  /** Set if the read was cancelled: resolves when the cancel request can hit no other statement. */
  interrupted: Promise<void> | undefined
  entry: Entry<Read> | undefined
}

/** The plain reads of a session that has not begun its transaction: each takes a connection from the pool for one round trip. */
export class ReadsBeforeBegin {
  readonly #reads = new List<Read>()
  readonly #acquire: (request: Omit<AcquireRequest<LentConnection>, 'caller'>) => Cancel

  constructor (acquire: (request: Omit<AcquireRequest<LentConnection>, 'caller'>) => Cancel) {
    this.#acquire = acquire
  }

  /** How many reads are under way. */
  get size (): number { return this.#reads.size }

  /** Reads over the next connection that is available. */
  start (statement: Statement, reader: Reader): void {
    const read: Read = { cancel: ignore, connection: undefined, interrupted: undefined, entry: undefined }
    read.entry = this.#reads.add(read)
    read.cancel = this.#acquire({
      lend: (connection) => {
        read.connection = connection
        if (connection.readCommitted) {
          connection.send([{ statement, done: (outcome) => this.#answered(read, reader, { outcome, connection }) }])
        } else {
          reader.unsuited()
          this.#end(read, reader)
        }
      },
      refuse: (error) => {
        reader.refused(error)
        this.#end(read, reader)
      }
    })
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

/** Whether each statement of a transaction has a snapshot of its own: READ COMMITTED, or READ UNCOMMITTED, which is the same. */
export function hasOwnSnapshots ({ isolationLevel }: TransactionSettings, pool: ConnectionSource, connection: LentConnection | undefined): boolean {
  if (isolationLevel !== undefined) return isolationLevel.startsWith('read')
  return pool.readCommitted && connection?.readCommitted !== false
}
