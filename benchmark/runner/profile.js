import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startDatabase } from './database.js'
import { parseFlags, readOptions } from './options.js'
import { generatePrisma, installLibrary } from './prepare.js'
import { startProcess, startServer } from './processes.js'

const folder = join(import.meta.dirname, '..')
const flags = {
  peer: { type: 'string', default: 'ours' },
  endpoint: { type: 'string', default: 'read' },
  seconds: { type: 'string', default: '5' },
  top: { type: 'string', default: '40' }
}

/**
 * Profiles one server under load. Writes a profile for Chrome's DevTools into `dist/`, and prints the functions that took most of the time.
 *
 * @param {string[]} args the command line
 * @returns {Promise<number>} the exit code
 */
export async function run (args) {
  const values = parseFlags(args, flags)
  const options = readOptions(['--peers', values.peer, '--endpoints', values.endpoint, '--seconds', values.seconds])
  installLibrary()
  generatePrisma()
  const database = await startDatabase({ folder: join(folder, '.data'), durable: false })
  const load = await startProcess('runner/load.js')
  const server = await startServer(options.peers[0], { ...options, connectionString: database.connectionString })
  try {
    await database.fill()
    const { profile, requests, errors } = await profileUnderLoad(server, load, options)
    const path = join(folder, 'dist', `${values.peer}-${values.endpoint}.cpuprofile`)
    mkdirSync(join(folder, 'dist'), { recursive: true })
    writeFileSync(path, JSON.stringify(profile))
    console.log(`${requests} requests, ${errors} errors. Chrome’s DevTools and VS Code open ${relative(process.cwd(), path)}\n`)
    console.log(busiest(profile, { requests, count: Number(values.top) }))
    return errors > 0 ? 1 : 0
  } finally {
    await server.stop()
    await load.stop()
    await database.stop()
  }
}

async function profileUnderLoad (server, load, { endpoints: [endpoint], connections, seconds }) {
  const order = { port: server.port, endpoint: endpoint.name, connections }
  await load.ask({ ...order, seconds: 3 })
  await server.ask('startProfile')
  const { requests, errors } = await load.ask({ ...order, seconds })
  return { profile: await server.ask('stopProfile'), requests, errors }
}

/** The functions with the most self time, in microseconds per request. */
function busiest ({ nodes, samples, timeDeltas }, { requests, count }) {
  const functions = new Map()
  const nameOf = new Map(nodes.map(({ id, callFrame }) => [id, describe(callFrame)]))
  for (const [index, sample] of samples.entries()) {
    const name = nameOf.get(sample)
    functions.set(name, (functions.get(name) ?? 0) + timeDeltas[index])
  }
  const total = timeDeltas.reduce((sum, delta) => sum + delta, 0)
  return [...functions].sort(([, a], [, b]) => b - a).slice(0, count)
    .map(([name, micros]) => `${(micros / requests).toFixed(2).padStart(8)} µs ${(100 * micros / total).toFixed(1).padStart(5)} %  ${name}`).join('\n')
}

function describe ({ functionName, url, lineNumber }) {
  const file = url.startsWith('file:') ? relative(folder, fileURLToPath(url)) : url
  return `${functionName || '(anonymous)'}${file === '' ? '' : ` ${file}:${lineNumber + 1}`}`
}
