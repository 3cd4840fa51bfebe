import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { Test } from './test.js'

/** Starts a proxy that replaces a part of PostgreSQL's answers; resolves with the URL through it. */
export async function startRewriter (t: Test, target: string, { from, to }: { from: string, to: string }): Promise<string> {
  const { hostname, port } = new URL(target)
  const server = createServer((client) => {
    const upstream = connect(Number(port || 5432), hostname)
    client.pipe(upstream)
    upstream.on('data', (chunk) => client.write(chunk.toString('latin1').replace(from, to), 'latin1'))
    for (const [socket, other] of [[client, upstream], [upstream, client]] as const) {
      socket.on('error', () => {})
      socket.on('close', () => other.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => { server.close() })
  const url = new URL(target)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return url.href
}
