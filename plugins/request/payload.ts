/** What a reply may carry instead of text: Node's streams, the web's, and web Responses. */
import { Readable } from 'node:stream'
import { ignore } from '../../src/runtime/promises.js'
import type { FastifyReply } from 'fastify'

/** Headers that describe a payload, for when it is not sent after all. */
export const payloadHeaders = ['content-encoding', 'content-length', 'etag', 'last-modified', 'cache-control', 'location']

/** Whether a payload is sent piece by piece: known as Fastify knows it, by what it can do. */
export function isStream (payload: unknown): boolean {
  return isNodeStream(payload) || isWebStream(payload) || (isResponse(payload) && payload.body !== null)
}

/** Keeps a stream that fails while the reply waits for PostgreSQL from ending the process; Fastify asks later how it is. */
export function guard (payload: unknown): void {
  if (isNodeStream(payload)) payload.on('error', ignore)
}

/** Lets go of a payload that is not sent after all: a stream, or the body of a web Response. */
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

/** Whether a payload is a web Response, of this realm or of a package that brings its own: Fastify tells them by the same mark. */
export function isResponse (payload: unknown): payload is Response {
  return Object.prototype.toString.call(payload) === '[object Response]'
}

/**
 * The bytes of a stream as a stream of Node's. What a Response says besides goes to the reply, as Fastify would do it.
 *
 * @throws {TypeError} when somebody reads it already
 */
export function bytesOf (payload: unknown, reply: FastifyReply): NodeJS.ReadableStream {
  if (isNodeStream(payload)) return payload
  if (!isResponse(payload)) return fromWeb(payload as ReadableStream)
  const bytes = fromWeb(payload.body as ReadableStream)
  reply.code(payload.status)
  for (const [name, value] of payload.headers) reply.header(name, value)
  return bytes
}

/** Node's own bridge takes streams of this realm only, and ends the process over a piece of another kind. */
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
