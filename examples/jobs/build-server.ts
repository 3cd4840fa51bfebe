import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyServerOptions } from 'fastify'
import dataAccess from '../../plugins/index.js'
import { openBoss, publishOrderPlaced } from './events.js'
import * as schema from './schema.js'

const newOrder = {
  type: 'object',
  required: ['item', 'quantity'],
  additionalProperties: false,
  properties: { item: { type: 'string' }, quantity: { type: 'integer', minimum: 1, maximum: 100 } }
}

/** The server, ready to listen, or for `inject` in a test. */
export async function buildServer (connectionString: string, options: FastifyServerOptions = {}) {
  const server = Fastify(options)
  await server.register(dataAccess, { connectionString, schema, casing: 'snake_case' })
  const boss = await openBoss({ query: (text, values) => server.db.query(text, values) })

  server.get('/stock/:item', (request) => request.repo(schema.stock).getOrThrow((request.params as { item: string }).item))

  // The order and its event: both are committed before the reply leaves, or neither is there.
  server.post<{ Body: { item: string, quantity: number } }>('/orders', { schema: { body: newOrder } }, async (request, reply) => {
    const { item, quantity } = request.body
    const order = await request.repo(schema.orders).create({ item, quantity })
    await publishOrderPlaced(boss, request.db, { id: randomUUID(), orderId: order.id, item, quantity })
    return await reply.code(201).send(order)
  })

  return server
}
