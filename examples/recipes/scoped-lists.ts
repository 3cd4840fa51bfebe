import type { FastifyInstance } from 'fastify'
import { listQuery } from '../../plugins/index.js'
import { customers, invoices } from './schema.js'

const invoiceList = listQuery(invoices, {
  filterable: { cents: ['gte', 'lt'], issuedAt: ['gte', 'lt'] },
  sortable: ['issuedAt', 'cents']
})

const byId = { type: 'object', properties: { id: { type: 'integer' } } }

export async function scopedLists (server: FastifyInstance) {
  // GET /customers/1/invoices?cents[gte]=1000&sort=-issuedAt&limit=20
  server.get<{ Params: { id: number } }>('/customers/:id/invoices', {
    schema: { params: byId, querystring: invoiceList.schema }
  }, async (request) => {
    const { id: customerId } = await request.repo(customers).getOrThrow(request.params.id)
    return request.repo(invoices).cursor(...invoiceList.cursor(request.query, { where: { customerId } }))
  })
}
