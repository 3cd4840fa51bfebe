import { Transform } from 'node:stream'
import type { TransformCallback } from 'node:stream'

/** How the end of a stream is decided. */
export interface HeldBackOptions {
  /** The reply's `content-length`, in bytes. A client that has received them treats the reply as complete. */
  readonly contentLength: number
  /** Resolves when the last piece may be sent. */
  readonly commit: () => Promise<void>
  /** Called if the stream fails, or `commit` has failed; the error is reported afterwards. */
  readonly abandon: (error: Error | null) => Promise<void>
}

/** A stream that is one piece behind its source: the last piece is sent after the commit. */
export class HeldBack extends Transform {
  readonly #options: HeldBackOptions
  #held: Uint8Array | undefined
  #length = 0
  #isCommitted = false

  constructor (options: HeldBackOptions) {
    // In object mode a piece that is neither text nor bytes is an error of this stream; otherwise it would end the process.
    // With buffers of one piece the reader has taken all pieces but the last when the end is decided.
    super({ writableObjectMode: true, writableHighWaterMark: 1, readableHighWaterMark: 1 })
    this.#options = options
  }

  override _transform (chunk: unknown, _encoding: string, done: TransformCallback): void {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return done(new TypeError('A piece of a stream must be text or bytes'))
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    if (bytes.length === 0) return done()
    this.#length += bytes.length
    if (this.#length > this.#options.contentLength) return done(new Error('The stream is longer than its content-length'))
    const held = this.#held
    this.#held = bytes
    done(null, held)
  }

  override _flush (done: TransformCallback): void {
    this.#options.commit().then(() => {
      this.#isCommitted = true
      done(null, this.#held)
    }, done)
  }

  override _destroy (error: Error | null, done: (error: Error | null) => void): void {
    if (this.#isCommitted) return done(error)
    this.#options.abandon(error).then(() => done(error), done)
  }
}
