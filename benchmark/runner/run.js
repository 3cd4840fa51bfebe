import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { baselines } from '../peers/index.js'
import { chart } from './chart.js'
import { checkAlike } from './check.js'
import { startDatabase } from './database.js'
import { measure, summarize } from './measure.js'
import { help, readOptions } from './options.js'
import { generatePrisma, installLibrary } from './prepare.js'
import { startProcess, startServer } from './processes.js'
import { measureGrowth } from './growth.js'
import { endpointTable, growthReport, report, roundTripReport, startReport, youngReport } from './report.js'
import { countRoundTrips } from './round-trips.js'
import { measureStart } from './start-up.js'
import { measureYoung } from './young.js'

const folder = join(import.meta.dirname, '..')
const say = (text) => console.error(text)

/**
 * The whole benchmark.
 *
 * @param {string[]} args the command line
 * @returns {Promise<number>} the exit code: 1 if a peer failed to answer, or answered differently
 */
export async function run (args) {
  const options = readOptions(args)
  if (options.help) {
    console.log(help)
    return 0
  }
  say('compiling the library and Prisma’s client …')
  installLibrary()
  generatePrisma()
  const database = await startDatabase({ folder: join(folder, '.data'), durable: options.durable })
  try {
    return await (kinds[options.kind] ?? benchmark)(options, database)
  } finally {
    await database.stop()
  }
}

async function benchmark (options, database) {
  const network = await openNetwork(options, database)
  const servers = []
  try {
    for (const peer of options.peers) servers.push(await startServer(peer, { ...options, connectionString: network.connectionString }))
    await checkAlike(servers, database)
    say(`${servers.length} servers answer alike`)
    return options.checksOnly ? 0 : await measureAll(options, { servers, database, network })
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
    await network.stop()
  }
}

async function measureAll (options, { servers, database, network }) {
  const load = await startProcess('runner/load.js')
  const results = []
  try {
    for (const endpoint of options.endpoints) {
      await database.fill()
      const onBurst = ({ name }, { perSecond }) => say(`${endpoint.name} ${name} ${Math.round(perSecond)}/s`)
      const rows = summarize(await measure(endpoint, { servers, load, database, options, onBurst }), baselines)
      results.push({ endpoint, rows })
      console.log(`\n## ${endpoint.title}\n\n${endpointTable(rows)}\n`)
    }
  } finally {
    await load.stop()
  }
  if (options.writes) {
    writeFileSync(join(folder, 'results.md'), report({ results, options, database, roundTripMicros: network.roundTripMicros }))
    writeFileSync(join(folder, 'chart.svg'), chart(results))
  }
  return exitCodeOf(results.flatMap(({ rows }) => rows))
}

function exitCodeOf (rows) {
  const failed = rows.filter(({ errors }) => errors > 0)
  for (const { peer, firstError } of failed) say(`${peer.name} failed, first with: ${firstError}`)
  return failed.length === 0 ? 0 : 1
}

/** The address of PostgreSQL: its own, or that of a proxy that adds latency. */
async function openNetwork ({ latencyMillis }, { connectionString }) {
  const url = new URL(connectionString)
  const proxy = latencyMillis > 0 ? await startProcess('runner/latency-proxy.js', { args: [url.port, String(latencyMillis)] }) : undefined
  if (proxy !== undefined) url.port = String(proxy.first.port)
  return { connectionString: url.href, roundTripMicros: await medianRoundTrip(url.href), stop: async () => { await proxy?.stop() } }
}

async function medianRoundTrip (connectionString) {
  const client = new pg.Client(connectionString)
  await client.connect()
  const micros = []
  for (let index = 0; index < 200; index++) {
    const start = process.hrtime.bigint()
    await client.query('select 1')
    micros.push(Number(process.hrtime.bigint() - start) / 1000)
  }
  await client.end()
  return micros.sort((a, b) => a - b)[100]
}

/** Prints a report, and writes it into a file of this folder if that is wanted. */
function tell (text, file, options) {
  console.log(text)
  if (options.writes) writeFileSync(join(folder, file), text)
}

async function roundTrips (options, database) {
  const counted = []
  for (const peer of options.peers) {
    say(`counting ${peer.name} …`)
    counted.push({ peer, counts: await countRoundTrips(peer, { database, options }) })
  }
  tell(roundTripReport({ counted, options, database }), 'round-trips.md', options)
  return 0
}

/** Calls a function with the load and the network, and ends both. */
async function underLoad (options, database, fn) {
  const network = await openNetwork(options, database)
  const load = await startProcess('runner/load.js')
  try {
    return await fn({ load, database, options, baselines, ...network })
  } finally {
    await load.stop()
    await network.stop()
  }
}

function young (options, database) {
  return underLoad(options, database, async (circumstances) => {
    const results = []
    for (const endpoint of options.endpoints) {
      const onBurst = ({ name }, { serverMicros }) => say(`${endpoint.name} ${name} ${Math.round(serverMicros)} µs`)
      results.push({ endpoint, rows: summarize(await measureYoung(endpoint, { ...circumstances, onBurst }), baselines) })
    }
    tell(youngReport({ results, ...circumstances }), 'young.md', options)
    return exitCodeOf(results.flatMap(({ rows }) => rows))
  })
}

/** Errors are a result here: a peer may refuse requests. */
function growth (options, database) {
  return underLoad(options, database, async (circumstances) => {
    const onStep = ({ endpoint, poolSize, connections }) => say(`${endpoint.name}: ${connections} connections over a pool of ${poolSize}`)
    const results = await measureGrowth({ ...circumstances, onStep })
    tell(growthReport({ results, ...circumstances }), 'growth.md', options)
    return 0
  })
}

function start (options, database) {
  return underLoad(options, database, async (circumstances) => {
    await database.fill()
    const onStart = ({ name }, { processorMillis }) => say(`${name} ${Math.round(processorMillis)} ms of processor time`)
    tell(startReport({ starts: await measureStart({ ...circumstances, onStart }), ...circumstances }), 'start.md', options)
    return 0
  })
}

/** What is measured instead of the bursts. */
const kinds = { 'round-trips': roundTrips, young, growth, start }
