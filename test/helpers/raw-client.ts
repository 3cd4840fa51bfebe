import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** A client that shows the received bytes, and can leave at any moment. */
export interface RawClient {
  readonly socket: Socket
  /** The text received so far. */
  readonly text: string
  /** Leaves without closing the connection, as a phone in a tunnel does; resolves when the server has noticed. */
  leave (): Promise<void>
  /** Resolves when the server has ended the connection. */
  readonly ended: Promise<void>
}

/** Sends a request by hand, with `Connection: close` by default; the server is listening afterwards. */
export async function sendRaw (server: FastifyInstance, request: string): Promise<RawClient> {
  if (!server.server.listening) await server.listen({ host: '127.0.0.1', port: 0 })
  const accepted = once(server.server, 'connection') as Promise<[Socket]>
  const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  const [peer] = await accepted
  const gone = new Promise<void>((resolve) => { peer.once('close', () => resolve()) })
  const ended = new Promise<void>((resolve) => { socket.once('close', () => resolve()) })
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk) => { text += chunk })
  socket.on('error', () => {})
  socket.write(request)
  return {
    socket,
    get text () { return text },
    leave () {
      socket.resetAndDestroy()
      return gone
    },
    ended
  }
}

/** A request without a body. */
export function requestText (method: string, url: string): string {
  return `${method} ${url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`
}
