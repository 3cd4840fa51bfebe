import { ignore } from '../handled.js'
import { interrupt } from './interrupt.js'
import type { Connection, Outcome } from '../connection/connection.js'
import type { Applicant, Cancel } from '../pool.js'
import type { Statement } from './statement.js'

/** Who wants to read: one of the first three is called, and then `done`. */
export interface Reader {
  answered (outcome: Outcome, connection: Connection): void
  refused (error: Error): void
  /** The connection gives its reads another snapshot than a transaction would: nothing was read. */
  unsuited (): void
  done (): void
}

interface Read {
  cancel: Cancel
  connection: Connection | undefined
  /** Where it was given up: resolves when the cancel can hit nothing else any more. */
  interrupted: Promise<void> | undefined
}

/** The plain reads of a session that has not begun, each on a connection of the pool, for one round trip. */
export class OutsideReads {
  readonly #reads = new Set<Read>()
  readonly #acquire: (applicant: Omit<Applicant, 'borrower'>) => Cancel

  constructor (acquire: (applicant: Omit<Applicant, 'borrower'>) => Cancel) {
    this.#acquire = acquire
  }

  /** How many are under way. */
  get size (): number { return this.#reads.size }

  /** Reads over the next connection to be had. */
  start (statement: Statement, reader: Reader): void {
    const read: Read = { cancel: ignore, connection: undefined, interrupted: undefined }
    this.#reads.add(read)
    const end = (): void => {
      this.#reads.delete(read)
      reader.done()
    }
    read.cancel = this.#acquire({
      lend: (connection) => {
        read.connection = connection
        this.#read(statement, read, { connection, reader }).then(end)
      },
      refuse: (error) => {
        reader.refused(error)
        end()
      }
    })
  }

  /** Refuses those that have no connection yet. */
  close (reason: Error): void {
    for (const { cancel } of this.#reads) cancel(reason)
  }

  /** Cancels those that run: nobody waits for their answers any more. */
  async abandon (timeoutMillis: number): Promise<void> {
    await Promise.all(Array.from(this.#reads, (read) => {
      read.interrupted = read.connection && interrupt(read.connection, timeoutMillis)
      return read.interrupted
    }))
  }

  async #read (statement: Statement, read: Read, { connection, reader }: { connection: Connection, reader: Reader }): Promise<void> {
    if (connection.readCommitted) {
      const outcome = await connection.run(statement)
      // A cancel that comes late must not hit whoever has the connection next.
      await read.interrupted
      reader.answered(outcome, connection)
    } else {
      reader.unsuited()
    }
    connection.release()
  }
}
