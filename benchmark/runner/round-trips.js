import { setTimeout as delay } from 'node:timers/promises'
import { startCountingProxy } from './counting-proxy.js'
import { seededRandom } from './endpoints.js'
import { startServer } from './processes.js'

const countedRequests = 20

/**
 * Counts the round trips of a peer's requests to PostgreSQL, one request after the other, with open connections and prepared statements.
 *
 * @returns for each endpoint the round trips and the ReadyForQuery messages of one request
 */
export async function countRoundTrips (peer, { database, options }) {
  const url = new URL(database.connectionString)
  const proxy = await startCountingProxy(Number(url.port))
  url.port = String(proxy.port)
  const server = await startServer(peer, { ...options, connectionString: url.href })
  try {
    const counted = []
    for (const endpoint of options.endpoints) {
      await database.fill()
      counted.push({ endpoint, ...await countRequests(endpoint, { server, proxy }) })
    }
    return counted
  } finally {
    await server.stop()
    await proxy.stop()
  }
}

async function countRequests (endpoint, { server, proxy }) {
  const random = seededRandom(2)
  const send = async (times) => {
    for (let sent = 0; sent < times; sent++) await request(server.port, endpoint.request(random))
    // Statements that a peer sends after the reply count as well.
    await delay(20)
    while (proxy.counts.owed > 0) await delay(1)
  }
  await send(10)
  const before = { ...proxy.counts }
  await send(countedRequests)
  return {
    roundTrips: (proxy.counts.roundTrips - before.roundTrips) / countedRequests,
    syncs: (proxy.counts.syncs - before.syncs) / countedRequests
  }
}

async function request (port, { method, path, body }) {
  const sent = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, ...sent })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${text}`)
}
