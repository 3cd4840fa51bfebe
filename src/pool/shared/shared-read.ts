import { Response } from '../../connection/exchange/response.js'
import type { ClientBase } from 'pg'
import type { PreparedStatement } from '../../connection/exchange/prepared-statements.js'
import type { Field } from '../../pg/client.js'
import type { PipelineReader } from '../../pg/pipeline.js'
import type { AskForOwn, Cancel, ReadRequest } from './plain-read.js'

/** The connection that a read travels over. */
export interface ReadOwner {
  readonly client: ClientBase
  /** The response is complete. */
  answered (read: SharedRead): void
  /** The connection was lost before. */
  lost (read: SharedRead): void
}

/** A read on its way over a lane: one object from the request to its response. */
export class SharedRead implements PipelineReader {
  readonly response: Response
  readonly prepared: PreparedStatement
  /** The time on the clock of `performance.now()`. */
  readonly sentAt: number
  /** Whether PostgreSQL parses its statement first. */
  readonly isParsed: boolean
  /** The failure of its own: of the statement, or because its rows could not be read. */
  error: Error | undefined
  readonly #lane: ReadOwner
  /** Undefined when nobody waits for the response any more. */
  #request: ReadRequest | undefined
  /** Cancels the wait for a connection of its own. */
  #cancel: Cancel | undefined

  constructor (lane: ReadOwner, request: ReadRequest, { prepared, sentAt, isParsed }: Pick<SharedRead, 'prepared' | 'sentAt' | 'isParsed'>) {
    this.#lane = lane
    this.#request = request
    this.response = new Response(request.statement, prepared)
    this.prepared = prepared
    this.sentAt = sentAt
    this.isParsed = isParsed
  }

  /** Takes the request: from now on nobody waits for this response. */
  take (): ReadRequest | undefined {
    const request = this.#request
    this.#request = undefined
    return request
  }

  /** Leaves its place, and reads over a connection of its own. */
  repeat (askForOwn: AskForOwn): void {
    const request = this.take()
    if (request !== undefined) this.#cancel = askForOwn(request)
  }

  /** The caller does not wait any more. PostgreSQL still answers, because others wait behind it. */
  readonly drop = (error: Error): void => {
    if (this.#cancel === undefined) this.take()?.refuse(error)
    else this.#cancel(error)
  }

  get text (): string { return this.response.statement.text }

  get done (): Response { return this.response }

  described (fields: readonly Field[]): void { this.response.describe(fields, this.#lane.client) }

  row (texts: ReadonlyArray<string | null>): void {
    // The statement that was described in front of it has failed before its description.
    if (this.prepared.readRow === undefined) this.error ??= new Error('The columns are not known')
    else this.response.row(texts)
  }

  completed (tag: string | undefined): void { this.response.complete(tag) }

  failed (error: Error): void { this.error = error }

  ready (): void { this.#lane.answered(this) }

  lost (error: Error): void {
    this.error = error
    this.#lane.lost(this)
  }
}
