// npm run bench:profile -- --peer ours --endpoint read: a V8 profile of one server under load, into dist/, and the functions that most of the time was spent in.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startDatabase } from './runner/database.js'
import { readOptions } from './runner/options.js'
import { generatePrisma, installLibrary } from './runner/prepare.js'
import { startProcess, startServer } from './runner/processes.js'

const folder = import.meta.dirname
const { values } = parseArgs({
  options: { peer: { type: 'string', default: 'ours' }, endpoint: { type: 'string', default: 'read' }, seconds: { type: 'string', default: '5' }, top: { type: 'string', default: '40' } }
})
const options = readOptions(['--peers', values.peer, '--endpoints', values.endpoint, '--seconds', values.seconds])
const order = { endpoint: values.endpoint, connections: options.connections }

installLibrary()
generatePrisma()
const database = await startDatabase({ folder: join(folder, '.data'), durable: false })
const load = await startProcess('runner/load.js')
const server = await startServer(options.peers[0], { ...options, connectionString: database.connectionString })
try {
  await database.fill()
  await load.ask({ ...order, port: server.port, seconds: 1 })
  await server.ask('startProfile')
  const { requests, errors } = await load.ask({ ...order, port: server.port, seconds: options.seconds })
  const profile = await server.ask('stopProfile')

  const path = join(folder, 'dist', `${values.peer}-${values.endpoint}.cpuprofile`)
  mkdirSync(join(folder, 'dist'), { recursive: true })
  writeFileSync(path, JSON.stringify(profile))
  console.log(`${requests} requests, ${errors} errors. Chrome’s DevTools and VS Code open ${relative(process.cwd(), path)}\n`)
  console.log(busiest(profile, { requests, count: Number(values.top) }))
} finally {
  await server.stop()
  await load.stop()
  await database.stop()
}

/** The functions with the most time of their own, in microseconds per request. */
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
