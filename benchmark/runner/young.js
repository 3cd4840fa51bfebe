import { burstOf, turns, usage } from './measure.js'
import { startServer } from './processes.js'

/** The first requests of a server, which are not measured, and those that are. */
export const youth = { first: 1000, measured: 9000 }

/**
 * Measures young servers, which V8 has not compiled for long: from the 1,000th to the 10,000th request after a start. Each server is started anew in each round.
 *
 * @returns a row for each peer, in their order
 */
export async function measureYoung (endpoint, { load, database, options, connectionString, onBurst = () => {} }) {
  const { peers, rounds, connections } = options
  const bursts = peers.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const index of turns(peers.length, round, rounds)) {
      await database.fill()
      const server = await startServer(peers[index], { ...options, connectionString })
      try {
        const order = { port: server.port, endpoint: endpoint.name, connections }
        await load.ask({ ...order, count: youth.first })
        const before = await usage(server, database)
        const burst = burstOf(before, await load.ask({ ...order, count: youth.measured }), await usage(server, database))
        bursts[index].push(burst)
        onBurst(peers[index], burst)
      } finally {
        await server.stop()
      }
    }
  }
  return peers.map((peer, index) => ({ peer, bursts: bursts[index] }))
}
