import { countDistinct, eq, sql } from 'drizzle-orm'
import Fastify from 'fastify'
import dataAccess from '../../../plugins/index.js'
import { byId, changedCustomer, newCustomer, newOrder, page, type ById, type NewCustomer, type NewOrder, type Page } from '../schemas.js'
import * as tables from '../tables.js'

const { customers, orders, orderLines } = tables

export async function buildServer (connectionString: string) {
  const server = Fastify()
  await server.register(dataAccess, {
    connectionString,
    schema: tables,
    errors: {
      constraints: {
        customers_email_unique: { status: 409, message: 'This address is taken' },
        order_lines_pkey: { status: 409, message: 'An item is there twice' },
        orders_customer_id_fkey: { status: 422, message: 'There is no such customer' }
      }
    }
  })

  server.get<{ Querystring: Page }>('/customers', { schema: { querystring: page } }, (request) =>
    request.repo(customers).paginate({}, { ...request.query, orderBy: { name: 'asc' } }))

  server.get<{ Params: ById }>('/customers/:id', { schema: { params: byId } }, (request) =>
    request.repo(customers).getOrThrow(request.params.id))

  server.post<{ Body: NewCustomer }>('/customers', { schema: { body: newCustomer } }, async (request, reply) => {
    reply.code(201)
    return request.repo(customers).create(request.body)
  })

  server.patch<{ Params: ById, Body: Partial<NewCustomer> }>('/customers/:id', { schema: { params: byId, body: changedCustomer } }, (request) =>
    request.repo(customers).updateOrThrow(request.params.id, request.body))

  server.get<{ Params: ById }>('/orders/:id', { schema: { params: byId } }, async (request) => {
    const order = await request.repo(orders).getOrThrow(request.params.id)
    const lines = await request.repo(orderLines).filter({ orderId: order.id }, {
      columns: ['item', 'quantity', 'cents'], orderBy: { item: 'asc' }, limit: 1000
    })
    return { ...order, lines }
  })

  // The request is the transaction: if a line is refused, there is no order.
  server.post<{ Body: NewOrder }>('/orders', { schema: { body: newOrder } }, async (request, reply) => {
    const { customerId, lines } = request.body
    const order = await request.repo(orders).create({ customerId })
    await request.repo(orderLines).createMany(lines.map((line) => ({ ...line, orderId: order.id })))
    reply.code(201)
    return order
  })

  server.get('/reports/customers', (request) => request.db.drizzle
    .select({
      name: customers.name,
      orders: countDistinct(orders.id),
      cents: sql<number>`coalesce(sum(${orderLines.quantity} * ${orderLines.cents}), 0)::int`
    })
    .from(customers)
    .leftJoin(orders, eq(orders.customerId, customers.id))
    .leftJoin(orderLines, eq(orderLines.orderId, orders.id))
    .groupBy(customers.id)
    .orderBy(customers.name))

  return server
}
