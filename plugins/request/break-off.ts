import { constants } from 'node:http2'
import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { FastifyReply } from 'fastify'

/**
 * Ends a response after its headers in a way that shows its client that it is incomplete. HTTP/2 resets the stream with an
 * error. HTTP/1 resets the TCP connection, because in HTTP/1.0 a normal end means that the response is complete.
 */
export function breakOff (raw: FastifyReply['raw']): void {
  if ('stream' in raw) Object(raw.stream).close(constants.NGHTTP2_INTERNAL_ERROR)
  else if (raw.socket instanceof Socket && !(raw.socket instanceof TLSSocket) && raw.socket.remoteAddress !== undefined) raw.socket.resetAndDestroy()
  else raw.destroy()
}
