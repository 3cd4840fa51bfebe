/** Whether there is still somebody to answer. */
import { TransactionClosedError } from '../../src/errors/errors.js'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Whether a response is over: its `close` has come, or comes in a moment, and what is written to it arrives nowhere. */
export function isOver (raw: FastifyReply['raw']): boolean {
  // A response of HTTP/2 never says so itself; the stream that it has does.
  return raw.destroyed || ('stream' in raw && Object(raw.stream).destroyed === true)
}

/** Whether the client has left; its socket knows first. */
export function isClientGone (request: FastifyRequest, reply: FastifyReply): boolean {
  // HTTP/2 takes the socket away with the stream.
  return isOver(reply.raw) || Object(request.raw.socket).destroyed === true
}

/** What the work of a request gets to know that nobody waits for. It is no fault of the server's: a status below 500 keeps it out of the errors in the log. */
export function clientGone (consequence: string): TransactionClosedError {
  return new TransactionClosedError(`The client has left: ${consequence}`, { statusCode: 499 })
}
