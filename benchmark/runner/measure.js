import { ratio, summary } from './statistics.js'

/** The time before each burst in which connections are opened or checked, and the processor caches fill. */
const shortWarmUpSeconds = 0.25

/**
 * Measures all servers at one endpoint, in turns. Each server has one burst in each round, and each round begins with another server. A disturbance of the
 * machine affects neighbouring bursts alike, and ratios are computed within a round.
 *
 * @returns a row for each server, in their order
 */
export async function measure (endpoint, { servers, load, database, options, onBurst = () => {} }) {
  const bursts = servers.map(() => [])
  // Warms up until V8 has compiled the hot code.
  for (const server of servers) await warmUp(endpoint, { server, load, options, seconds: options.warmUpSeconds })
  for (let round = 0; round < options.rounds; round++) {
    for (const index of turns(servers.length, round, options.rounds)) {
      const burst = await measureOnce(endpoint, { server: servers[index], load, database, options })
      bursts[index].push(burst)
      onBurst(servers[index].peer, burst)
    }
  }
  return servers.map(({ peer }, index) => ({ peer, bursts: bursts[index] }))
}

/** The order of the servers in a round. Each round begins with another server, and every second round is reversed, so that neighbours change. */
function turns (count, round, rounds) {
  const start = Math.floor(round * count / rounds)
  const order = Array.from({ length: count }, (_, position) => (start + position) % count)
  return round % 2 === 0 ? order : order.reverse()
}

function warmUp (endpoint, { server, load, options: { connections }, seconds }) {
  return load.ask({ port: server.port, endpoint: endpoint.name, connections, seconds })
}

async function measureOnce (endpoint, { server, load, database, options }) {
  if (endpoint.writes) await database.fill()
  await warmUp(endpoint, { server, load, options, seconds: shortWarmUpSeconds })

  const before = await usage(server, database)
  const order = { port: server.port, endpoint: endpoint.name, connections: options.connections, seconds: options.seconds }
  const { requests, errors, firstError, elapsedSeconds, p50Micros, p99Micros } = await load.ask(order)
  const after = await usage(server, database)
  return {
    perSecond: requests / elapsedSeconds,
    p50Micros,
    p99Micros,
    errors,
    firstError,
    serverMicros: (after.server - before.server) / requests,
    postgresMicros: after.postgres === undefined ? undefined : (after.postgres - before.postgres) / requests,
    rss: after.rss
  }
}

async function usage (server, database) {
  const { cpu, rss } = await server.ask('usage')
  return { server: cpu.user + cpu.system, postgres: database.processorMicros(), rss }
}

/**
 * The values of one endpoint in the tables.
 *
 * @param rows the result of {@link measure}
 * @param {{ transaction: string, plain: string }} baselines names of peers; a ratio to one that was not measured is `undefined`
 */
export function summarize (rows, baselines) {
  const baseline = (name) => rows.find(({ peer }) => peer.name === name)?.bursts
  return rows.map(({ peer, bursts }) => ({
    peer,
    perSecond: summary(bursts.map((burst) => burst.perSecond)),
    toTransaction: ratio(bursts, baseline(baselines.transaction)),
    toPlain: ratio(bursts, baseline(baselines.plain)),
    serverMicros: summary(bursts.map((burst) => burst.serverMicros)),
    postgresMicros: bursts.some((burst) => burst.postgresMicros === undefined) ? undefined : summary(bursts.map((burst) => burst.postgresMicros)),
    p50Micros: summary(bursts.map((burst) => burst.p50Micros)),
    p99Micros: summary(bursts.map((burst) => burst.p99Micros)),
    rss: Math.max(...bursts.map((burst) => burst.rss)),
    errors: bursts.reduce((sum, burst) => sum + burst.errors, 0),
    firstError: bursts.find((burst) => burst.firstError !== undefined)?.firstError
  }))
}
