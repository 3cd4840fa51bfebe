/** A streamed reply that ends with its transaction: `commit: 'atEnd'`. */
import { Readable, Writable, pipeline } from 'node:stream'
import { pipeline as finished } from 'node:stream/promises'
import { ignore } from '../../src/runtime/promises.js'
import { breakOff } from './break-off.js'
import { isClientGone } from './client-gone.js'
import { HeldBack } from './held-back.js'
import { bytesOf, discard, payloadHeaders } from './payload.js'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** How a streamed reply ends its transaction. */
export interface StreamEnds {
  /** Commits; the last bytes are sent when it resolves. */
  readonly commit: () => Promise<void>
  /** Rolls back unless the transaction is decided; resolves with the outcome. Never rejects. */
  readonly rollback: () => Promise<string>
}

/** Statuses without a body: the commit comes before the headers. */
const bodiless = [204, 304]

export class StreamedReply {
  /** The stream that is sent in place of the payload. */
  readonly body: Readable
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #source: NodeJS.ReadableStream
  readonly #ends: StreamEnds

  /**
   * @throws {TypeError} if the payload is already being read
   */
  constructor (payload: unknown, { request, reply }: { readonly request: FastifyRequest, readonly reply: FastifyReply }, ends: StreamEnds) {
    this.#request = request
    this.#reply = reply
    this.#ends = ends
    this.#source = bytesOf(payload, reply)
    this.body = this.isBodiless ? Readable.from([]) : this.#heldBack()
  }

  /** Whether the client gets headers only. */
  get isBodiless (): boolean {
    return this.#request.method === 'HEAD' || bodiless.includes(this.#reply.statusCode)
  }

  /** Reads the source to its end, and drops the pieces. */
  async readSource (): Promise<void> {
    await finished(this.#source, new Writable({ objectMode: true, write: (_piece, _encoding, done) => { done() } }))
  }

  /** Starts to read. */
  start (): void {
    pipeline(this.#source, this.body as HeldBack, ignore)
  }

  /** Ends the stream, because an error replaces it. */
  fail (): void { this.body.destroy(new Error('An error was raised while the reply was streamed')) }

  /** Destroys the source when its reader is gone. */
  discard (): void { discard(this.#source) }

  #heldBack (): HeldBack {
    const length = this.#reply.getHeader('content-length')
    return new HeldBack({
      contentLength: length === undefined ? Infinity : Number(length),
      commit: this.#ends.commit,
      abandon: (error) => this.#abandon(error)
    })
  }

  async #abandon (error: Error | null): Promise<void> {
    const { raw, log } = this.#reply
    const outcome = await this.#ends.rollback()
    if (isClientGone(this.#request, this.#reply)) return
    if (raw.headersSent) {
      log.error({ err: error, outcome }, 'a streamed reply was broken off, because its transaction was not committed')
      return breakOff(raw)
    }
    for (const header of payloadHeaders) {
      this.#reply.removeHeader(header)
      raw.removeHeader(header)
    }
  }
}
