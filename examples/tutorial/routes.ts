import type { FastifyInstance } from 'fastify'
import { listQuery } from '../../plugins/index.js'
import { InvoiceRepository } from './invoice-repository.js'
import { byId, newCustomer, newInvoice, type ById, type NewCustomer, type NewInvoice } from './requests.js'
import { customers, invoiceLines, invoices } from './schema.js'

const invoiceList = listQuery(invoices, {
  filterable: { customerId: ['eq'], status: ['eq'], createdAt: ['gte', 'lt'] },
  sortable: ['createdAt'],
  pages: 'cursor'
})

export async function routes (server: FastifyInstance) {
  server.post<{ Body: NewCustomer }>('/customers', { schema: { body: newCustomer } }, async (request, reply) => {
    reply.code(201)
    return request.repo(customers).create(request.body)
  })

  server.get<{ Params: ById }>('/customers/:id', { schema: { params: byId } }, (request) =>
    request.repo(customers).getOrThrow(request.params.id))

  server.get('/invoices', { schema: { querystring: invoiceList.schema } }, (request) =>
    request.repo(invoices).cursor(...invoiceList.cursor(request.query)))

  server.get<{ Params: ById }>('/invoices/:id', { schema: { params: byId } }, (request) =>
    request.repo(InvoiceRepository).show(request.params.id))

  server.post<{ Body: NewInvoice }>('/invoices', { schema: { body: newInvoice } }, async (request, reply) => {
    reply.code(201)
    return request.repo(InvoiceRepository).draft(request.body)
  })

  server.post<{ Params: ById }>('/invoices/:id/send', { schema: { params: byId } }, async (request, reply) => {
    const invoice = await request.repo(invoices).getOrThrow(request.params.id, { lock: 'update' })
    if (invoice.status === 'sent') return reply.code(409).send({ message: 'This invoice was sent before' })
    const total = await request.repo(invoiceLines).sum('cents', { invoiceId: invoice.id })
    request.db.afterCommit(() => { request.log.info({ invoice: invoice.id, total }, 'time to send a mail') })
    return request.repo(invoices).updateOrThrow(invoice.id, { status: 'sent' })
  })
}
