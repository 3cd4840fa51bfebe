/** The payloads of a reply that are not text: Node's streams, web streams, and web Responses. */
import { Readable } from 'node:stream'
import { ignore } from '../../src/runtime/promises.js'
import type { FastifyReply } from 'fastify'

/** Headers that describe a payload; they are removed if it is not sent. */
export const payloadHeaders = ['content-encoding', 'content-length', 'etag', 'last-modified', 'cache-control', 'location']

/** Whether a payload is a stream, by the same test as Fastify's. */
export function isStream (payload: unknown): boolean {
  return isNodeStream(payload) || isWebStream(payload) || (isResponse(payload) && payload.body !== null)
}

/** Keeps a stream that fails while the reply waits for PostgreSQL from ending the process; Fastify checks it later. */
export function guard (payload: unknown): void {
  if (isNodeStream(payload)) payload.on('error', ignore)
}

/** Destroys a payload that is not sent: a stream, or the body of a web Response. */
export function discard (payload: unknown): void {
  guard(payload)
  if (isNodeStream(payload)) payload.destroy?.()
  const stream = isResponse(payload) ? payload.body : payload
  if (isWebStream(stream)) stream.cancel().catch(ignore)
}

/** Whether a stream has ended with an error of its own. */
export function hasBroken (payload: unknown): boolean {
  return isNodeStream(payload) && payload.errored instanceof Error
}

/** Whether a payload is a web Response, of this realm or of a package with its own class; the same test as Fastify's. */
export function isResponse (payload: unknown): payload is Response {
  return Object.prototype.toString.call(payload) === '[object Response]'
}

/**
 * The bytes of a stream, as a Node stream. The status and headers of a Response go to the reply, as Fastify would do it.
 *
 * @throws {TypeError} if it is already being read
 */
export function bytesOf (payload: unknown, reply: FastifyReply): NodeJS.ReadableStream {
  if (isNodeStream(payload)) return payload
  if (!isResponse(payload)) return fromWeb(payload as ReadableStream)
  const bytes = fromWeb(payload.body as ReadableStream)
  reply.code(payload.status)
  for (const [name, value] of payload.headers) reply.header(name, value)
  return bytes
}

/** Node's own bridge accepts streams of this realm only, and a piece of another kind ends the process. */
function fromWeb (stream: ReadableStream): Readable {
  const reader = stream.getReader()
  return new Readable({
    objectMode: true,
    read () {
      reader.read().then(({ done, value }) => this.push(done ? null : value ?? {}), (error) => this.destroy(error))
    },
    destroy (error, done) {
      reader.cancel(error).catch(ignore)
      done(error)
    }
  })
}

type NodeStream = NodeJS.ReadableStream & { readonly destroy?: () => void, readonly errored?: unknown }

function isNodeStream (payload: unknown): payload is NodeStream {
  return typeof Object(payload).pipe === 'function'
}

function isWebStream (payload: unknown): payload is ReadableStream {
  return typeof Object(payload).getReader === 'function'
}
