import { turns } from './measure.js'
import { startServer } from './processes.js'
import { spinMicros } from './spin.js'
import { summary } from './statistics.js'

/**
 * Measures the start of each peer's server: from the start of its process to its first reply, a read by key.
 *
 * @returns for each peer the time in milliseconds, the processor time of its process in milliseconds, normed, and the memory, in their order
 */
export async function measureStart ({ options, connectionString, onStart = () => {} }) {
  const { peers, rounds } = options
  const starts = peers.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const index of turns(peers.length, round, rounds)) {
      const start = await startOnce(peers[index], { options, connectionString })
      starts[index].push(start)
      onStart(peers[index], start)
    }
  }
  const spin = summary(starts.flat().map(({ spin }) => spin)).median
  return peers.map((peer, index) => ({
    peer,
    millis: summary(starts[index].map(({ millis }) => millis)),
    processorMillis: summary(starts[index].map(({ processorMillis, spin: beside }) => processorMillis * spin / beside)),
    rss: summary(starts[index].map(({ rss }) => rss)).median
  }))
}

async function startOnce (peer, { options, connectionString }) {
  const spinBefore = spinMicros()
  const start = performance.now()
  const server = await startServer(peer, { ...options, connectionString })
  try {
    const reply = await fetch(`http://127.0.0.1:${server.port}/accounts/1`)
    await reply.text()
    const millis = performance.now() - start
    if (reply.status !== 200) throw new Error(`${peer.name} answered ${reply.status}`)
    const { cpu, rss } = await server.ask('usage')
    return { millis, processorMillis: (cpu.user + cpu.system) / 1000, rss, spin: (spinBefore + spinMicros()) / 2 }
  } finally {
    await server.stop()
  }
}
