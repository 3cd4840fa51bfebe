import { Stream, PassThrough, Readable, Transform, pipeline } from 'node:stream'

/** Makes the pieces of a streamed reply. */
export type Pieces = () => AsyncGenerator<string>

/** A foreign stream: of another realm, or of a package. */
function foreign (pieces: Pieces): object {
  const made = pieces()
  return {
    getReader: () => ({
      read: () => made.next(),
      cancel: async () => { await made.return(undefined) }
    }),
    cancel: async () => { await made.return(undefined) }
  }
}

/** A stream of the kind of Node 0.8: it does not wait for its reader, and cannot be destroyed. */
class Ancient extends Stream {
  readonly #pieces: Pieces

  constructor (pieces: Pieces) {
    super()
    this.#pieces = pieces
  }

  override pipe<Target extends NodeJS.WritableStream> (target: Target, options?: { end?: boolean }): Target {
    super.pipe(target, options)
    this.#write().then(() => this.emit('end'), (error) => this.emit('error', error))
    return target
  }

  async #write (): Promise<void> {
    for await (const piece of this.#pieces()) this.emit('data', piece)
  }
}

const bytes = async function * (pieces: Pieces) { for await (const piece of pieces()) yield Buffer.from(piece) }
const web = (pieces: Pieces) => ReadableStream.from(bytes(pieces)) as ReadableStream<Uint8Array>
const ignore = (): void => {}

/** Every kind of stream that Fastify accepts as a reply. */
export const payloads: Readonly<Record<string, (pieces: Pieces) => unknown>> = {
  text: (pieces) => Readable.from(pieces()),
  bytes: (pieces) => Readable.from(bytes(pieces), { objectMode: false }),
  decoded: (pieces) => Readable.from(bytes(pieces), { objectMode: false }).setEncoding('utf8'),
  passed: (pieces) => pipeline(Readable.from(pieces()), new PassThrough(), ignore),
  transformed: (pieces) => pipeline(Readable.from(pieces()), new Transform({ transform: (piece, _encoding, done) => { done(null, piece) } }), ignore),
  ancient: (pieces) => new Ancient(pieces),
  web,
  response: (pieces) => new Response(web(pieces), { status: 201, headers: { 'content-type': 'text/plain' } }),
  foreign
}
