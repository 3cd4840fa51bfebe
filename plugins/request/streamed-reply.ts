/** A streamed reply that ends with its transaction: `commit: 'atEnd'`. */
import { Readable, Writable, pipeline } from 'node:stream'
import { pipeline as finished } from 'node:stream/promises'
import { ignore } from '../../src/runtime/promises.js'
import { breakOff } from './break-off.js'
import { isClientGone } from './client-gone.js'
import { HeldBack } from './held-back.js'
import { bytesOf, discard, payloadHeaders } from './payload.js'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** How a streamed reply decides about its transaction. */
export interface StreamEnds {
  /** Commits; the last bytes leave when it resolves. */
  readonly commit: () => Promise<void>
  /** Undoes everything, unless that is decided already; tells what came of it. Never rejects. */
  readonly rollback: () => Promise<string>
}

/** Replies whose headers are all: the commit comes before them. */
const bodiless = [204, 304]

export class StreamedReply {
  /** What is sent in the place of the payload. */
  readonly body: Readable
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #source: NodeJS.ReadableStream
  readonly #ends: StreamEnds

  /**
   * @throws {TypeError} when somebody reads the payload already
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

  /** Has the source do what it does, for nobody. */
  async readSource (): Promise<void> {
    await finished(this.#source, new Writable({ objectMode: true, write: (_piece, _encoding, done) => { done() } }))
  }

  /** Starts to read. */
  start (): void {
    pipeline(this.#source, this.body as HeldBack, ignore)
  }

  /** Ends the reply, because an error takes its place. */
  fail (): void { this.body.destroy(new Error('An error was raised while the reply was streamed')) }

  /** Lets go of the source, when nobody reads any more. */
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
