/** Whether the client still waits for the response. */
import { TransactionClosedError } from '../../src/errors/errors.js'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Whether a response is closed or closing, so that further writes are lost. */
export function isOver (raw: FastifyReply['raw']): boolean {
  // An HTTP/2 response does not show this; its stream does.
  return raw.destroyed || ('stream' in raw && Object(raw.stream).destroyed === true)
}

/** Whether the client has left; its socket shows it first. */
export function isClientGone (request: FastifyRequest, reply: FastifyReply): boolean {
  // HTTP/2 removes the socket together with the stream.
  return isOver(reply.raw) || Object(request.raw.socket).destroyed === true
}

/** The error for the work of a request whose client has left. It is not the server's fault: a status below 500 keeps it out of the errors in the log. */
export function clientGone (consequence: string): TransactionClosedError {
  return new TransactionClosedError(`The client has left: ${consequence}`, { statusCode: 499 })
}
