/** What a reply may carry instead of text: Node's streams, the web's, and web Responses. */
import { Stream } from 'node:stream'
import { ignore } from '../src/handled.js'

/** Keeps a stream that fails while the reply waits for PostgreSQL from ending the process; Fastify asks later how it is. */
export function guard (payload: unknown): void {
  if (payload instanceof Stream) payload.on('error', ignore)
}

/** Lets go of a payload that is not sent after all: a stream, or the body of a web Response. */
export function discard (payload: unknown): void {
  guard(payload)
  if (payload instanceof Stream && 'destroy' in payload && typeof payload.destroy === 'function') payload.destroy()
  const stream = isResponse(payload) ? payload.body : payload
  if (stream instanceof ReadableStream) stream.cancel().catch(ignore)
}

/** Whether a stream has ended with an error of its own. */
export function hasBroken (payload: unknown): boolean {
  return payload instanceof Stream && 'errored' in payload && payload.errored !== null
}

/** A web Response, of this realm or of a package that brings its own: Fastify tells them by the same mark. */
export function isResponse (payload: unknown): payload is Response {
  return Object.prototype.toString.call(payload) === '[object Response]'
}
