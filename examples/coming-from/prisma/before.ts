import { PrismaPg } from '@prisma/adapter-pg'
import Fastify, { type FastifyError } from 'fastify'
import { Prisma, PrismaClient } from '../dist/prisma/client.js'
import { byId, changedCustomer, newCustomer, newOrder, page, type ById, type NewCustomer, type NewOrder, type Page } from '../schemas.js'

/** What a client is told of a refused write, by model and by code of Prisma. */
const refusals: Record<string, [status: number, message: string]> = {
  'Customer P2002': [409, 'This address is taken'],
  'OrderLine P2002': [409, 'An item is there twice'],
  'Order P2002': [409, 'An item is there twice'],
  'Order P2003': [422, 'There is no such customer']
}

export async function buildServer (connectionString: string) {
  const server = Fastify()
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString }) })
  server.addHook('onClose', () => prisma.$disconnect())

  server.setErrorHandler<FastifyError>((error, _request, reply) => {
    if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return reply.send(error)
    if (error.code === 'P2025') return reply.callNotFound()
    const [status, message] = refusals[`${String(error.meta?.['modelName'])} ${error.code}`] ?? []
    return status === undefined ? reply.send(error) : reply.code(status).send({ statusCode: status, message })
  })

  server.get<{ Querystring: Page }>('/customers', { schema: { querystring: page } }, async (request) => {
    const { page, limit } = request.query
    const items = await prisma.customer.findMany({ orderBy: [{ name: 'asc' }, { id: 'asc' }], take: limit, skip: (page - 1) * limit })
    const total = await prisma.customer.count()
    return { items, page, limit, total, pages: Math.ceil(total / limit) }
  })

  server.get<{ Params: ById }>('/customers/:id', { schema: { params: byId } }, (request) =>
    prisma.customer.findUniqueOrThrow({ where: { id: request.params.id } }))

  server.post<{ Body: NewCustomer }>('/customers', { schema: { body: newCustomer } }, async (request, reply) => {
    const customer = await prisma.customer.create({ data: request.body })
    return reply.code(201).send(customer)
  })

  server.patch<{ Params: ById, Body: Partial<NewCustomer> }>('/customers/:id', { schema: { params: byId, body: changedCustomer } }, (request) =>
    prisma.customer.update({ where: { id: request.params.id }, data: request.body }))

  server.get<{ Params: ById }>('/orders/:id', { schema: { params: byId } }, (request) =>
    prisma.order.findUniqueOrThrow({
      where: { id: request.params.id },
      include: { lines: { select: { item: true, quantity: true, cents: true }, orderBy: { item: 'asc' } } }
    }))

  server.post<{ Body: NewOrder }>('/orders', { schema: { body: newOrder } }, async (request, reply) => {
    const { customerId, lines } = request.body
    const order = await prisma.$transaction(async (tx) => {
      const order = await tx.order.create({ data: { customerId } })
      await tx.orderLine.createMany({ data: lines.map((line) => ({ ...line, orderId: order.id })) })
      return order
    })
    return reply.code(201).send(order)
  })

  server.get('/reports/customers', () => prisma.$queryRaw`
    select customers.name, count(distinct orders.id)::int as orders, coalesce(sum(quantity * cents), 0)::int as cents
    from customers left join orders on customer_id = customers.id left join order_lines on order_id = orders.id
    group by customers.id order by customers.name`)

  return server
}
