import { asc, count, countDistinct, eq, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import Fastify, { type FastifyError } from 'fastify'
import pg, { type DatabaseError } from 'pg'
import { byId, changedCustomer, newCustomer, newOrder, page, type ById, type NewCustomer, type NewOrder, type Page } from '../schemas.js'
import { customers, orders, orderLines } from '../tables.js'

const refusals: Record<string, [status: number, message: string]> = {
  customers_email_unique: [409, 'This address is taken'],
  order_lines_pkey: [409, 'An item is there twice'],
  orders_customer_id_fkey: [422, 'There is no such customer']
}

export async function buildServer (connectionString: string) {
  const server = Fastify()
  const pool = new pg.Pool({ connectionString })
  const db = drizzle(pool)
  server.addHook('onClose', () => pool.end())

  // Drizzle wraps the error of pg.
  server.setErrorHandler<FastifyError>((error, _request, reply) => {
    const [status, message] = refusals[(error.cause as DatabaseError | undefined)?.constraint ?? ''] ?? []
    return status === undefined ? reply.send(error) : reply.code(status).send({ statusCode: status, message })
  })

  server.get<{ Querystring: Page }>('/customers', { schema: { querystring: page } }, async (request) => {
    const { page, limit } = request.query
    const items = await db.select().from(customers).orderBy(asc(customers.name), asc(customers.id)).limit(limit).offset((page - 1) * limit)
    const [{ total } = { total: 0 }] = await db.select({ total: count() }).from(customers)
    return { items, page, limit, total, pages: Math.ceil(total / limit) }
  })

  server.get<{ Params: ById }>('/customers/:id', { schema: { params: byId } }, async (request, reply) => {
    const [customer] = await db.select().from(customers).where(eq(customers.id, request.params.id))
    return customer ?? reply.callNotFound()
  })

  server.post<{ Body: NewCustomer }>('/customers', { schema: { body: newCustomer } }, async (request, reply) => {
    const [customer] = await db.insert(customers).values(request.body).returning()
    return reply.code(201).send(customer)
  })

  server.patch<{ Params: ById, Body: Partial<NewCustomer> }>('/customers/:id', { schema: { params: byId, body: changedCustomer } }, async (request, reply) => {
    const [customer] = await db.update(customers).set(request.body).where(eq(customers.id, request.params.id)).returning()
    return customer ?? reply.callNotFound()
  })

  server.get<{ Params: ById }>('/orders/:id', { schema: { params: byId } }, async (request, reply) => {
    const [order] = await db.select().from(orders).where(eq(orders.id, request.params.id))
    if (order === undefined) return reply.callNotFound()
    const { item, quantity, cents } = orderLines
    const lines = await db.select({ item, quantity, cents }).from(orderLines).where(eq(orderLines.orderId, order.id)).orderBy(asc(item))
    return { ...order, lines }
  })

  server.post<{ Body: NewOrder }>('/orders', { schema: { body: newOrder } }, async (request, reply) => {
    const { customerId, lines } = request.body
    const order = await db.transaction(async (tx) => {
      const [order] = await tx.insert(orders).values({ customerId }).returning()
      if (order === undefined) throw new Error('PostgreSQL returned no order')
      await tx.insert(orderLines).values(lines.map((line) => ({ ...line, orderId: order.id })))
      return order
    })
    return reply.code(201).send(order)
  })

  server.get('/reports/customers', () => db
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
