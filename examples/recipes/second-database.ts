import type { FastifyInstance } from 'fastify'
import dataAccess from '../../plugins/index.js'
import * as archive from './archive.js'
import { customers, invoices } from './schema.js'
import * as schema from './schema.js'

interface Urls { connectionString?: string, archiveConnectionString?: string }

export async function withArchive (server: FastifyInstance, { connectionString, archiveConnectionString }: Urls = {}) {
  await server.register(dataAccess, { schema, connectionString })                                                     // or DATABASE_URL
  await server.register(dataAccess, { name: 'archive', schema: archive, connectionString: archiveConnectionString })  // or ARCHIVE_DATABASE_URL

  server.post<{ Params: { id: number } }>('/invoices/:id/archive', async (request) => {
    const invoice = await request.repo(invoices).getOrThrow(Number(request.params.id), { lock: 'update' })
    const customer = await request.repo(customers).getOrThrow(invoice.customerId)

    // The repository finds the database by its table. An upsert may be repeated.
    const { row } = await request.repo(archive.archivedInvoices).upsert({
      id: invoice.id, customerName: customer.name, cents: invoice.cents, issuedAt: invoice.issuedAt
    })
    await request.repo(invoices).delete(invoice.id)
    return row
  })
}
