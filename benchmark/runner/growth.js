import { measure, summarize } from './measure.js'
import { startServer } from './processes.js'

/** How many connections to PostgreSQL, and how many requests at the same time. */
export const sizes = { pools: [5, 20, 60], connections: [1, 4, 16, 64, 256, 1000] }

/**
 * Measures how the peers grow: each size of pool with each number of connections.
 *
 * @returns for each endpoint and size of pool the rows of {@link summarize}, by the number of connections
 */
export async function measureGrowth ({ load, database, options, connectionString, baselines, onStep = () => {} }) {
  const results = []
  for (const poolSize of sizes.pools) {
    const servers = []
    try {
      for (const peer of options.peers) servers.push(await startServer(peer, { ...options, poolSize, connectionString }))
      for (const endpoint of options.endpoints) {
        await database.fill()
        const steps = []
        for (const connections of sizes.connections) {
          onStep({ endpoint, poolSize, connections })
          const rows = await measure(endpoint, { servers, load, database, options: { ...options, connections } })
          steps.push({ connections, rows: summarize(rows, baselines) })
        }
        results.push({ endpoint, poolSize, steps })
      }
    } finally {
      await Promise.all(servers.map((server) => server.stop()))
    }
  }
  return results
}
