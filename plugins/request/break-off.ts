import { constants } from 'node:http2'
import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { FastifyReply } from 'fastify'

/**
 * Ends a response whose headers have left so that its client knows that it is not whole: HTTP/2 resets its stream with an error,
 * TCP its connection, since a quiet end of that is how HTTP/1.0 says that all was sent.
 */
export function breakOff (raw: FastifyReply['raw']): void {
  if ('stream' in raw) Object(raw.stream).close(constants.NGHTTP2_INTERNAL_ERROR)
  else if (raw.socket instanceof Socket && !(raw.socket instanceof TLSSocket) && raw.socket.remoteAddress !== undefined) raw.socket.resetAndDestroy()
  else raw.destroy()
}
