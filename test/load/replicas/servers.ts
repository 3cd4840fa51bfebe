import { integer, pgTable } from 'drizzle-orm/pg-core'
import Fastify from 'fastify'
import dataAccess from '../../../plugins/index.js'
import { Connection } from '../../../src/connection/connection.js'
import { Replica } from '../../../src/replicas/replica.js'
import { until } from '../../helpers/until.js'
import type { FastifyInstance } from 'fastify'
import type { ReplicatedCluster } from './cluster.js'

export const tables = 'create table clients (id integer primary key, value integer not null); insert into clients select id, 0 from generate_series(1, 1000) as id'

const clients = pgTable('clients', { id: integer().primaryKey(), value: integer().notNull() })

/** How often servers have sent something for a read, and over how many round trips the replicas have answered. */
export interface Trips {
  toReplicas: number
  toPrimary: number
}

/** The reads of a client: after a write of its own, with its token, or without one. */
export type ReadRoute = 'after' | 'without'

/** Counts the round trips of reads, in this process. */
export function countTrips (): Record<ReadRoute, Trips> {
  const trips = { after: { toReplicas: 0, toPrimary: 0 }, without: { toReplicas: 0, toPrimary: 0 } }
  const ofReplicas = new WeakSet<object>()
  const { acquire } = Replica.prototype
  Replica.prototype.acquire = function (request) {
    const lend: typeof request.lend = (connection) => {
      ofReplicas.add(connection)
      request.lend(connection)
    }
    return acquire.call(this, { caller: request.caller, mayWait: request.mayWait, lend, refuse: (error) => request.refuse(error) })
  }
  const { send } = Connection.prototype
  Connection.prototype.send = function (tasks, prelude) {
    const route = (['after', 'without'] as const).find((name) => this.caller.label.startsWith(`GET /${name}`))
    if (route !== undefined) trips[route][ofReplicas.has(this) ? 'toReplicas' : 'toPrimary']++
    return send.call(this, tasks, prelude)
  }
  return trips
}

/** A server over the cluster; ready when a replica serves. */
export async function startServer ({ primary, standbys }: ReplicatedCluster): Promise<FastifyInstance> {
  const server = Fastify({ logger: false })
  await server.register(dataAccess, {
    connectionString: primary.connectionString,
    replicas: { connectionStrings: standbys.map(({ connectionString }) => connectionString), maxLagMillis: 15_000, pool: { size: 8, maxOverflow: 0 } },
    pool: { size: 8, maxOverflow: 0 },
    transaction: { reads: 'replica' },
    readYourWrites: { header: 'database-token' },
    health: false,
    logger: { debug () {}, info () {}, warn () {}, error () {} }
  })
  server.put('/clients/:id', async (request) => {
    const { id } = request.params as { id: string }
    await request.repo(clients).update(Number(id), { value: Number((request.body as { value: number }).value) })
    return { id }
  })
  for (const route of ['after', 'without'] satisfies ReadRoute[]) {
    server.get(`/${route}/:id`, (request) => request.repo(clients).getOrThrow(Number((request.params as { id: string }).id)))
  }
  await server.ready()
  await until(() => server.db.replicas.some(({ serves }) => serves))
  return server
}
