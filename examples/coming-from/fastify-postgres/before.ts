import postgres from '@fastify/postgres'
import Fastify, { type FastifyError } from 'fastify'
import type { DatabaseError } from 'pg'
import { byId, changedCustomer, newCustomer, newOrder, page, type ById, type NewCustomer, type NewOrder, type Page } from '../schemas.js'

const refusals: Record<string, [status: number, message: string]> = {
  customers_email_unique: [409, 'This address is taken'],
  order_lines_pkey: [409, 'An item is there twice'],
  orders_customer_id_fkey: [422, 'There is no such customer']
}

const customer = 'id, name, email, created_at as "createdAt"'
const order = 'id, customer_id as "customerId", placed_at as "placedAt"'

export async function buildServer (connectionString: string) {
  const server = Fastify()
  await server.register(postgres, { connectionString })

  server.setErrorHandler<FastifyError & Partial<DatabaseError>>((error, _request, reply) => {
    const [status, message] = refusals[error.constraint ?? ''] ?? []
    return status === undefined ? reply.send(error) : reply.code(status).send({ statusCode: status, message })
  })

  server.get<{ Querystring: Page }>('/customers', { schema: { querystring: page } }, async (request) => {
    const { page, limit } = request.query
    const { rows: items } = await server.pg.query(`select ${customer} from customers order by name, id limit $1 offset $2`, [limit, (page - 1) * limit])
    const { rows: [{ total }] } = await server.pg.query('select count(*)::int as total from customers')
    return { items, page, limit, total, pages: Math.ceil(total / limit) }
  })

  server.get<{ Params: ById }>('/customers/:id', { schema: { params: byId } }, async (request, reply) => {
    const { rows } = await server.pg.query(`select ${customer} from customers where id = $1`, [request.params.id])
    return rows[0] ?? reply.callNotFound()
  })

  server.post<{ Body: NewCustomer }>('/customers', { schema: { body: newCustomer } }, async (request, reply) => {
    const { name, email } = request.body
    const { rows } = await server.pg.query(`insert into customers (name, email) values ($1, $2) returning ${customer}`, [name, email])
    return reply.code(201).send(rows[0])
  })

  server.patch<{ Params: ById, Body: Partial<NewCustomer> }>('/customers/:id', { schema: { params: byId, body: changedCustomer } }, async (request, reply) => {
    const { name, email } = request.body
    const { rows } = await server.pg.query(
      `update customers set name = coalesce($2, name), email = coalesce($3, email) where id = $1 returning ${customer}`, [request.params.id, name, email]
    )
    return rows[0] ?? reply.callNotFound()
  })

  server.get<{ Params: ById }>('/orders/:id', { schema: { params: byId } }, async (request, reply) => {
    const { rows: [found] } = await server.pg.query(`select ${order} from orders where id = $1`, [request.params.id])
    if (found === undefined) return reply.callNotFound()
    const { rows: lines } = await server.pg.query('select item, quantity, cents from order_lines where order_id = $1 order by item', [found.id])
    return { ...found, lines }
  })

  server.post<{ Body: NewOrder }>('/orders', { schema: { body: newOrder } }, async (request, reply) => {
    const { customerId, lines } = request.body
    const created = await server.pg.transact(async (client) => {
      const { rows: [created] } = await client.query(`insert into orders (customer_id) values ($1) returning ${order}`, [customerId])
      for (const { item, quantity, cents } of lines) {
        await client.query('insert into order_lines (order_id, item, quantity, cents) values ($1, $2, $3, $4)', [created.id, item, quantity, cents])
      }
      return created
    })
    return reply.code(201).send(created)
  })

  server.get('/reports/customers', async () => {
    const { rows } = await server.pg.query(`
      select customers.name, count(distinct orders.id)::int as orders, coalesce(sum(quantity * cents), 0)::int as cents
      from customers left join orders on customer_id = customers.id left join order_lines on order_id = orders.id
      group by customers.id order by customers.name`)
    return rows
  })

  return server
}
