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
export function turns (count, round, rounds) {
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
  return burstOf(before, await load.ask(order), await usage(server, database))
}

/**
 * The values of one burst.
 *
 * @param before the result of {@link usage} before it
 * @param answer that of the load
 * @param after the result of {@link usage} after it
 */
export function burstOf (before, { requests, errors, firstError, elapsedSeconds, p50Micros, p99Micros, spinMicros }, after) {
  return {
    perSecond: requests / elapsedSeconds,
    p50Micros,
    p99Micros,
    errors,
    firstError,
    spinMicros,
    serverMicros: (after.server - before.server) / requests,
    postgresMicros: after.postgres === undefined ? undefined : (after.postgres - before.postgres) / requests,
    rss: after.rss
  }
}

/** The processor time of a server and of PostgreSQL so far, and the memory of the server. */
export async function usage (server, database) {
  const { cpu, rss } = await server.ask('usage')
  return { server: cpu.user + cpu.system, postgres: database.processorMicros(), rss }
}

/**
 * The values of one endpoint in the tables. Processor times are normed: each is multiplied by what the spin took in the whole measurement, and divided by what
 * it took beside this burst.
 *
 * @param rows the result of {@link measure}
 * @param {{ pipeline: string, transaction: string }} baselines names of peers; a ratio to one that was not measured is `undefined`
 */
export function summarize (rows, baselines) {
  const spin = summary(rows.flatMap(({ bursts }) => bursts.map(({ spinMicros }) => spinMicros))).median
  const normed = rows.map(({ peer, bursts }) => ({ peer, bursts: bursts.map((burst) => norm(burst, spin)) }))
  const baseline = (name) => normed.find(({ peer }) => peer.name === name)?.bursts
  return normed.map(({ peer, bursts }) => ({
    peer,
    serverMicros: summary(bursts.map((burst) => burst.serverMicros)),
    postgresMicros: bursts.some((burst) => burst.postgresMicros === undefined) ? undefined : summary(bursts.map((burst) => burst.postgresMicros)),
    toPipeline: ratio(bursts, baseline(baselines.pipeline), ({ serverMicros }) => serverMicros),
    perSecond: summary(bursts.map((burst) => burst.perSecond)),
    toTransaction: ratio(bursts, baseline(baselines.transaction), ({ perSecond }) => perSecond),
    p50Micros: summary(bursts.map((burst) => burst.p50Micros)),
    p99Micros: summary(bursts.map((burst) => burst.p99Micros)),
    rss: Math.max(...bursts.map((burst) => burst.rss)),
    errors: bursts.reduce((sum, burst) => sum + burst.errors, 0),
    firstError: bursts.find((burst) => burst.firstError !== undefined)?.firstError
  }))
}

function norm (burst, spin) {
  const factor = spin / burst.spinMicros
  return { ...burst, serverMicros: burst.serverMicros * factor, postgresMicros: burst.postgresMicros === undefined ? undefined : burst.postgresMicros * factor }
}
