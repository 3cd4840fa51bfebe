/**
 * Reads after own writes: `npm run test:replicas`, with `-- --reads 2000` for fewer.
 *
 * Clients write through one of two servers and read through either, with the token of their last write and without one, while four
 * replicas are 0 ms to 10 s behind, paused, parted, killed, started again and promoted. Exits with 1 if a read with a token was stale,
 * or if any read or write failed.
 */
import { parseArgs } from 'node:util'
import { setTimeout as wait } from 'node:timers/promises'
import { delays, startCluster } from './cluster.js'
import { faults } from './faults.js'
import { countTrips, startServer, tables } from './servers.js'
import type { FastifyInstance } from 'fastify'
import type { ReadRoute } from './servers.js'

const { values } = parseArgs({ options: { reads: { type: 'string', default: '10000' }, clients: { type: 'string', default: '40' } } })
const wanted = Number(values.reads)

/** The longest pause between a write or read and the next read, in milliseconds. */
const longestPauseMillis = 400
const readsAfterWrite = 5

process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

// A PostgreSQL that is awaited does not keep the process alive.
const alive = setInterval(() => {}, 1000)

const trips = countTrips()
const cluster = await startCluster(tables)
const servers = await Promise.all([startServer(cluster), startServer(cluster)])
const counts = { after: { reads: 0, old: 0 }, without: { reads: 0, old: 0 } }
const errors: string[] = []
let writes = 0
const isOver = (): boolean => counts.after.reads >= wanted

const happened = new Map<string, number>()
const troubling = (async () => {
  for await (const fault of faults(cluster)) {
    happened.set(fault, (happened.get(fault) ?? 0) + 1)
    if (isOver() && happened.has('promoted')) return
  }
})()

const started = performance.now()
await Promise.all(Array.from({ length: Number(values.clients) }, (_, index) => live(index + 1)))
const seconds = (performance.now() - started) / 1000
await troubling
for (const server of servers) await server.close()
await cluster.stop()
clearInterval(alive)

console.log(`replicas behind by ${delays.join(', ')} ms; faults: ${Array.from(happened, ([fault, count]) => `${fault} ${count}`).join(', ')}`)
console.log(`${writes} writes in ${seconds.toFixed(0)} s`)
for (const [route, words] of [['after', 'with the token of the last write'], ['without', 'without a token']] as const) {
  const { reads, old } = counts[route]
  const { toReplicas, toPrimary } = trips[route]
  console.log(`${reads} reads ${words}: ${old} stale, ${(100 * (reads - toPrimary) / reads).toFixed(1)} % answered by replicas, ` +
    `${((toReplicas + toPrimary) / reads).toFixed(3)} round trips each`)
}
console.log(`${errors.length} errors ${[...new Set(errors)].slice(0, 5).join('; ')}`)
process.exit(counts.after.old === 0 && errors.length === 0 ? 0 : 1)

function either (): FastifyInstance {
  return servers[Math.random() < 0.5 ? 0 : 1] as FastifyInstance
}

async function live (id: number): Promise<void> {
  for (let value = 1; !isOver(); value++) {
    const token = await write(id, value)
    for (let left = readsAfterWrite; left > 0 && !isOver(); left--) {
      await wait(Math.random() * longestPauseMillis)
      await read('after', { id, value }, token === undefined ? {} : { 'database-token': token })
      if (left === 1) await read('without', { id, value }, {})
    }
  }
}

async function write (id: number, value: number): Promise<string | undefined> {
  const reply = await either().inject({ method: 'PUT', url: `/clients/${id}`, payload: { value } })
  writes++
  if (reply.statusCode !== 200) errors.push(`PUT ${reply.statusCode} ${reply.body}`)
  return reply.headers['database-token']?.toString()
}

async function read (route: ReadRoute, { id, value }: { id: number, value: number }, headers: Record<string, string>): Promise<void> {
  const reply = await either().inject({ url: `/${route}/${id}`, headers })
  counts[route].reads++
  if (reply.statusCode !== 200) errors.push(`GET ${reply.statusCode} ${reply.body}`)
  else if (reply.json().value < value) counts[route].old++
}
