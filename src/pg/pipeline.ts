import { destroySocket, GroupQuery, onceReady, write } from './client.js'
import { submit } from './unwatched.js'
import type { ClientBase } from 'pg'
import type { Field, ResponseReader } from './client.js'

/** Reads the response to one group of a pipeline. */
export interface PipelineReader extends ResponseReader {
  /** The connection was lost before the response was complete. */
  lost (error: Error): void
}

/** The error when another program has put a statement of its own in front of a group: the responses would be mistaken. */
export class ForeignStatementError extends Error {}

/** The oldest group of a pipeline, as a query for pg. */
class PipelineQuery extends GroupQuery {
  isSubmitted = false

  override submit (connection: Parameters<GroupQuery['submit']>[0]): null {
    this.isSubmitted = true
    return super.submit(connection)
  }
}

/**
 * Sends groups of messages over one client before the responses to earlier ones have come. Each group ends with a Sync of its own,
 * so a failure is that of one group. PostgreSQL responds in order: a response belongs to the oldest group without one.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 *
 * For pg only the oldest group is a query. It needs no pipeline mode of its own, which a client has from its beginning or never.
 */
export class Pipeline<Reader extends PipelineReader> implements ResponseReader {
  readonly #client: ClientBase
  readonly #isLost: (error: Error) => boolean
  readonly #readers: Reader[] = []

  /** `isLost` tells whether nothing more can be sent after an error. */
  constructor (client: ClientBase, isLost: (error: Error) => boolean) {
    this.#client = client
    this.#isLost = isLost
  }

  /** How many groups have no response yet. */
  get size (): number { return this.#readers.length }

  /** The reader of the oldest group without a response. */
  get head (): Reader | undefined { return this.#readers[0] }

  /** The readers of all groups without a response, in order. */
  get readers (): readonly Reader[] { return this.#readers }

  /** Adds the reader of a group, whose messages are written in the same order. */
  add (reader: Reader): void {
    if (this.#readers.push(reader) === 1) this.#await()
  }

  /** Writes the messages of groups. */
  write (bytes: Buffer): void { write(this.#client, bytes) }

  /** The SQL of the oldest group, for programs that watch pg. */
  get text (): string { return this.#oldest.text }

  get done (): ResponseReader['done'] { return this.#oldest.done }

  described (fields: readonly Field[]): void { this.#oldest.described(fields) }

  row (fields: ReadonlyArray<string | null>): void { this.#oldest.row(fields) }

  completed (tag: string | undefined): void { this.#oldest.completed(tag) }

  failed (error: Error): void {
    if (this.#isLost(error)) return this.#lose(error)
    this.#oldest.failed(error)
    onceReady(this.#client, (status) => {
      if (status === undefined) this.#lose(error)
      else this.ready()
    })
  }

  ready (): void {
    const reader = this.#readers.shift() as Reader
    if (this.#readers.length > 0) this.#await()
    reader.ready()
  }

  /** A group is a query for pg, and has a response, only while it is the oldest. */
  get #oldest (): Reader { return this.#readers[0] as Reader }

  /** A client that waits for nothing else submits a query at once. */
  #await (): void {
    const query = new PipelineQuery(undefined, this)
    submit(this.#client, query as never)
    if (query.isSubmitted) return
    destroySocket(this.#client)
    this.failed(new ForeignStatementError('Another program sends statements of its own over this connection'))
  }

  #lose (error: Error): void {
    for (const reader of this.#readers.splice(0)) reader.lost(error)
  }
}
