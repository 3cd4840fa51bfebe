/**
 * Aborts requests at random moments, and checks what they leave behind: `npm run test:aborts -- --requests 10000`.
 *
 * Exits with 1 if a row exists that was not committed, or a promised row is missing, if a connection, a listener or a socket was left, or if
 * memory keeps growing.
 */
import assert from 'node:assert/strict'
import { parseArgs } from 'node:util'
import { expectNoLeaks } from '../../../src/testing/index.js'
import { users } from '../../helpers/schema.js'
import { until } from '../../helpers/until.js'
import { backendsOf, clientsOf } from '../../helpers/watch.js'
import { AbortClients } from './abort-clients.js'
import { openAbortServer, stages } from './abort-server.js'
import type { EventEmitter } from 'node:events'
import type { FastifyInstance } from 'fastify'

/** Memory that may come and go between two measurements, in bytes. */
const noise = 2_000_000
/** Four for each connection of the pool. */
const atOnce = 20

const { values } = parseArgs({ options: { requests: { type: 'string', default: '10000' } } })
const requests = Number(values.requests)
const endings: Array<() => Promise<unknown>> = []
try {
  await storm()
} finally {
  for (const end of endings) await end()
}

async function storm (): Promise<void> {
  const clients = new AbortClients()
  const { server, committed, port } = await openAbortServer({ teardown: (fn) => endings.unshift(fn) }, {
    requests, reached: (number, stage) => clients.reached(number, stage)
  })
  const started = performance.now()
  const quarter = Math.trunc(requests / 4)
  await clients.send(port, { from: 0, to: quarter, atOnce })
  const before = await rest(server)
  await clients.send(port, { from: quarter, to: quarter + Math.trunc((requests - quarter) / 2), atOnce })
  const halfway = await rest(server)
  await clients.send(port, { from: quarter + Math.trunc((requests - quarter) / 2), to: requests, atOnce })
  const after = await rest(server)

  const rows = await rowsOf(server)
  const kept = Array.from(committed.keys()).filter((number) => committed[number] === 1)
  const growth = { first: halfway.heap - before.heap, second: after.heap - halfway.heap }
  const { left, statuses, answered } = clients.report
  console.log(JSON.stringify({
    requests,
    left,
    statuses: Object.fromEntries(statuses),
    committed: kept.length,
    rows: rows.length,
    pool: after.pool,
    growth,
    seconds: Math.round((performance.now() - started) / 100) / 10
  }))

  assert.deepEqual(rows, kept, 'the rows are those whose commit was confirmed')
  for (const number of answered) assert.equal(committed[number], 1, `the reply to ${number} promised its row`)
  assert.deepEqual([...statuses.keys()], [201], 'whoever stayed was answered')
  assert.deepEqual(after.pool, before.pool, 'the pool is as it was')
  assert.deepEqual(after.backends, before.backends, 'with the same connections')
  assert.deepEqual(after.listeners, before.listeners, 'and the same listeners')
  for (const stage of ['sending', 'time', ...stages] as const) assert.ok(left[stage] > 0, `somebody left: ${stage}`)
  assert.ok(growth.second <= Math.max(growth.first, 0) + noise, `memory goes on growing: ${JSON.stringify(growth)}`)
  await expectNoLeaks(server.db)
}

/** The resources that are left when everything has ended. */
async function rest (server: FastifyInstance) {
  const sockets = (): Promise<number> => new Promise((resolve, reject) => server.server.getConnections((error, count) => error
    ? reject(error)
    : resolve(count)))
  await until(async () => {
    const { inUse, waiting } = server.db.poolInfo
    return inUse === 0 && waiting === 0 && await sockets() === 0
  })
  if (globalThis.gc === undefined) throw new Error('Run this with --expose-gc')
  for (let round = 0; round < 3; round++) await new Promise<void>((resolve) => setImmediate(() => { globalThis.gc?.(); resolve() }))
  const { pool } = server.db
  return {
    heap: process.memoryUsage().heapUsed,
    pool: server.db.poolInfo,
    backends: backendsOf(pool).sort(),
    listeners: clientsOf(pool).map((client) => [listenersOf(client), listenersOf((client as unknown as { connection: EventEmitter }).connection)])
  }
}

function listenersOf (emitter: EventEmitter): Record<string, number> {
  return Object.fromEntries(emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]).sort())
}

async function rowsOf (server: FastifyInstance): Promise<number[]> {
  const rows = await server.db.drizzle.select({ email: users.email }).from(users)
  return rows.map(({ email }) => Number(email)).sort((one, other) => one - other)
}
