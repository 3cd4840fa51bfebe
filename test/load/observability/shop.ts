import Fastify from 'fastify'
import { Registry } from 'prom-client'
import dataAccess from '../../../plugins/index.js'
import { prometheus } from '../../../src/prometheus/index.js'
import { conflicts } from '../../helpers/conflicts.js'
import { startProxy } from '../../helpers/proxy.js'
import { tables, users } from '../../helpers/schema.js'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** A server whose figures are on `/metrics`, and what can be done to it. */
export interface Shop {
  readonly port: number
  /** Reads, writes, failures, rollbacks and a retry. */
  live (): Promise<void>
  /** Takes every connection for longer than others wait, and for longer than `leakWarningSeconds` if told. */
  starve (): Promise<void>
  leak (): Promise<void>
  /** Loses the response to a COMMIT. */
  loseCommit (): Promise<void>
  close (): Promise<void>
}

const silent = { debug () {}, info () {}, warn () {}, error () {} }

/** Starts the server over a database, through a network that fails on demand. */
export async function startShop (connectionString: string): Promise<Shop> {
  const ends: Array<() => Promise<unknown>> = []
  const proxy = await startProxy({ teardown: (fn) => ends.push(fn) }, connectionString)
  const server = Fastify()
  const registry = new Registry()
  const figures = prometheus({ registry })
  await server.register(dataAccess, {
    connectionString: proxy.connectionString,
    pool: { size: 2, maxOverflow: 1, timeoutSeconds: 1 },
    leakWarningSeconds: 3,
    logger: silent
  })
  await server.db.query(tables)
  const { collide } = await conflicts(server.db)
  addRoutes(server)
  server.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()))
  await server.listen({ host: '127.0.0.1', port: 0 })
  let count = 0
  const post = async (email = `${++count}@example.com`): Promise<number> => {
    return (await server.inject({ method: 'POST', url: '/users', payload: { email } })).statusCode
  }
  return {
    port: (server.server.address() as AddressInfo).port,
    async live () {
      await Promise.all(Array.from({ length: 10 }, () => post()))
      await Promise.all(Array.from({ length: 10 }, () => server.inject('/users')))
      await post('1@example.com')
      await collide(1)
      await post()
    },
    async starve () {
      const sessions = await Promise.all(Array.from({ length: 3 }, async () => {
        const session = server.db.createSession()
        await session.repo(users).create({ email: `${++count}@example.com` })
        return session
      }))
      await Promise.all(Array.from({ length: 3 }, () => server.inject('/users')))
      for (const session of sessions) await session.rollback()
    },
    async leak () {
      const session = server.db.createSession()
      await session.repo(users).create({ email: `${++count}@example.com` })
    },
    async loseCommit () {
      const lost = proxy.loseAnswer('commit')
      await post()
      await lost
    },
    async close () {
      figures.disable()
      await server.close()
      for (const end of ends) await end()
    }
  }
}

function addRoutes (server: FastifyInstance): void {
  server.get('/users', (request) => request.repo(users).getAll({ limit: 20 }))
  server.post('/users', { config: { transaction: { retries: 2 } } }, (request) => request.repo(users).create(request.body as typeof users.$inferInsert))
}
