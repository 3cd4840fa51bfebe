import { RowStream } from './row-stream.js'
import type { Borrower } from '../pool/acquire-queue.js'
import type { SessionHost } from './session-context.js'
import type { RowStreamOptions } from './row-stream.js'
import type { RowSource, Statement } from '../statement/statement.js'

/** The streams that were opened in somebody's name and have not ended. */
export class Streams {
  readonly #host: SessionHost
  readonly #borrower: Borrower
  readonly #open = new Set<RowStream>()

  constructor (host: SessionHost, borrower: Borrower) {
    this.#host = host
    this.#borrower = borrower
  }

  /** A stream, which holds no connection before its first batch. @throws what is in its way */
  open<Row> (statement: Statement, options: Pick<RowStreamOptions, 'batchSize' | 'mayWait' | 'obstacle'>): RowSource<Row> {
    const obstacle = options.obstacle?.()
    if (obstacle !== undefined) throw obstacle
    const ended = (): void => { this.#open.delete(stream) }
    const stream = new RowStream(this.#host, statement, { ...options, borrower: this.#borrower, ended })
    this.#open.add(stream)
    return stream as RowSource<never> // its rows are what the statement's reader makes of them
  }

  /** Ends them all, for a reason that their readers get to know. Never rejects. */
  async end (reason: () => Error): Promise<void> {
    await Promise.all(Array.from(this.#open, (stream) => stream.close(reason())))
  }
}
