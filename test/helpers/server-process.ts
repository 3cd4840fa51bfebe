/**
 * A program for tests that send signals: a server that shuts down as in the quickstart, in a process of its own.
 */
import { sql } from 'drizzle-orm'
import Fastify, { type FastifyRequest } from 'fastify'
import { stopOnSignals } from '../../examples/quickstart/stop-on-signals.js'
import dataAccess from '../../plugins/index.js'
import { schema, users } from './schema.js'

const { LIMIT_MILLIS, DRAIN_SECONDS } = process.env
const server = Fastify({ logger: { level: 'warn' } })
await server.register(dataAccess, { schema, drainTimeoutSeconds: Number(DRAIN_SECONDS), leakWarningSeconds: 0, slowQueryMillis: 3_600_000 })
stopOnSignals(server, { limitMillis: Number(LIMIT_MILLIS) })

const create = (request: FastifyRequest) => request.repo(users).create({ email: request.url })
server.post('/creates', create)
server.post('/waits', async (request) => {
  const user = await create(request)
  await request.db.execute(sql`select pg_advisory_xact_lock(42)`)
  return user
})
server.post('/hangs', async (request) => {
  await create(request)
  await request.db.execute(sql`select 'hangs from now on'`)
  await new Promise(() => {})
})

await server.listen({ host: '127.0.0.1', port: 0 })
console.log(server.listeningOrigin)
