import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { AddressInfo, Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { Test } from './test.js'

/** The settings with which pg connects through {@link startTlsProxy}. */
export interface TlsProxy {
  readonly host: string
  readonly port: number
  readonly ssl: ConnectionOptions
  /** The number of connections that established TLS. */
  readonly secured: number
}

/** A shared secret replaces the certificate. */
const psk = Buffer.from('a secret between two ends of one test')
const shared = { ciphers: 'PSK-AES128-GCM-SHA256', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const

/** The TLS options of server and clients for this secret. */
export const secret = {
  server: { ...shared, pskCallback: () => psk },
  client: { ...shared, pskCallback: () => ({ psk, identity: 'test' }), checkServerIdentity: () => undefined }
}

/** The length of the SSLRequest, the first message of a client that wants TLS. */
const sslRequestLength = 8

/** Starts a TLS proxy in front of a PostgreSQL without TLS; `direct` starts TLS at once, as `sslnegotiation=direct` requires. */
export async function startTlsProxy (t: Test, target: string, { direct }: { direct: boolean }): Promise<TlsProxy> {
  const { hostname: host, port } = new URL(target)
  const state = { secured: 0 }

  const tls = createTlsServer({ ...secret.server, ALPNProtocols: ['postgresql'] }, (secure) => {
    state.secured++
    const server = connect(Number(port), host)
    for (const end of [secure, server]) end.on('error', () => {}).on('close', () => { secure.destroy(); server.destroy() })
    secure.pipe(server).pipe(secure)
  })

  const serve = async (socket: Socket): Promise<void> => {
    if (!direct) {
      await once(socket, 'readable')
      socket.read(sslRequestLength)
      socket.write('S')
    }
    tls.emit('connection', socket)
  }

  const sockets = new Set<Socket>()
  const listener = createServer((socket) => {
    sockets.add(socket)
    serve(socket)
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    listener.close()
  })
  return {
    host: '127.0.0.1',
    port: (listener.address() as AddressInfo).port,
    ssl: secret.client,
    get secured () { return state.secured }
  }
}
