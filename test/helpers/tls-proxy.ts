import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { AddressInfo, Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { Test } from './test.js'

/** What pg needs to connect by way of {@link startTlsProxy}. */
export interface TlsProxy {
  readonly host: string
  readonly port: number
  readonly ssl: ConnectionOptions
  /** How many connections got as far as TLS. */
  readonly secured: number
}

/** A secret that both sides know takes the place of a certificate. */
const psk = Buffer.from('a secret between two ends of one test')
const shared = { ciphers: 'PSK-AES128-GCM-SHA256', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const

/** What a server and its clients need to know each other by that secret. */
export const secret = {
  server: { ...shared, pskCallback: () => psk },
  client: { ...shared, pskCallback: () => ({ psk, identity: 'test' }), checkServerIdentity: () => undefined }
}

/** What asks a server of PostgreSQL for TLS, before anything else is said. */
const sslRequestLength = 8

/** TLS before a PostgreSQL that knows none; `direct` begins with it at once, as `sslnegotiation=direct` wants it. */
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
