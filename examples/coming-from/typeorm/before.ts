import 'reflect-metadata'
import Fastify, { type FastifyError } from 'fastify'
import type { DatabaseError } from 'pg'
import { DataSource, EntityNotFoundError, QueryFailedError } from 'typeorm'
import { byId, changedCustomer, newCustomer, newOrder, page, type ById, type NewCustomer, type NewOrder, type Page } from '../schemas.js'
import { Customer, Order, OrderLine } from './entities.js'

const refusals: Record<string, [status: number, message: string]> = {
  customers_email_unique: [409, 'This address is taken'],
  order_lines_pkey: [409, 'An item is there twice'],
  orders_customer_id_fkey: [422, 'There is no such customer']
}

export async function buildServer (connectionString: string) {
  const server = Fastify()
  const dataSource = await new DataSource({ type: 'postgres', url: connectionString, entities: [Customer, Order, OrderLine] }).initialize()
  server.addHook('onClose', () => dataSource.destroy())
  const customers = dataSource.getRepository(Customer)
  const orders = dataSource.getRepository(Order)

  server.setErrorHandler<FastifyError>((error, _request, reply) => {
    if (error instanceof EntityNotFoundError) return reply.callNotFound()
    const constraint = error instanceof QueryFailedError ? (error.driverError as DatabaseError).constraint : undefined
    const [status, message] = refusals[constraint ?? ''] ?? []
    return status === undefined ? reply.send(error) : reply.code(status).send({ statusCode: status, message })
  })

  server.get<{ Querystring: Page }>('/customers', { schema: { querystring: page } }, async (request) => {
    const { page, limit } = request.query
    const [items, total] = await customers.findAndCount({ order: { name: 'ASC', id: 'ASC' }, take: limit, skip: (page - 1) * limit })
    return { items, page, limit, total, pages: Math.ceil(total / limit) }
  })

  server.get<{ Params: ById }>('/customers/:id', { schema: { params: byId } }, (request) => customers.findOneByOrFail({ id: request.params.id }))

  server.post<{ Body: NewCustomer }>('/customers', { schema: { body: newCustomer } }, async (request, reply) => {
    const customer = await customers.save(customers.create(request.body))
    return reply.code(201).send(customer)
  })

  server.patch<{ Params: ById, Body: Partial<NewCustomer> }>('/customers/:id', { schema: { params: byId, body: changedCustomer } }, async (request) => {
    const customer = await customers.findOneByOrFail({ id: request.params.id })
    return customers.save(Object.assign(customer, request.body))
  })

  server.get<{ Params: ById }>('/orders/:id', { schema: { params: byId } }, async (request) => {
    const { lines, ...order } = await orders.findOneOrFail({ where: { id: request.params.id }, relations: { lines: true }, order: { lines: { item: 'ASC' } } })
    return { ...order, lines: lines.map(({ item, quantity, cents }) => ({ item, quantity, cents })) }
  })

  server.post<{ Body: NewOrder }>('/orders', { schema: { body: newOrder } }, async (request, reply) => {
    const { customerId, lines } = request.body
    const order = await dataSource.transaction(async (manager) => {
      const order = await manager.save(manager.create(Order, { customerId }))
      await manager.insert(OrderLine, lines.map((line) => ({ ...line, orderId: order.id })))
      return order
    })
    return reply.code(201).send(order)
  })

  server.get('/reports/customers', () => dataSource.query(`
    select customers.name, count(distinct orders.id)::int as orders, coalesce(sum(quantity * cents), 0)::int as cents
    from customers left join orders on customer_id = customers.id left join order_lines on order_id = orders.id
    group by customers.id order by customers.name`))

  return server
}
