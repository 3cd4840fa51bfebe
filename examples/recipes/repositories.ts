import type { FastifyInstance } from 'fastify'
import { Repository } from '../../plugins/index.js'
import { customers, invoices } from './schema.js'

export class CustomerRepository extends Repository.of(customers) {
  /** The customer with this address, who is created if there is none. */
  async known (customer: { name: string, email: string }) {
    const { row } = await this.getOrCreate({ email: customer.email }, { name: customer.name })
    return row
  }
}

export class InvoiceRepository extends Repository.of(invoices) {
  /** An invoice for a customer who may be new: both are written, or nothing. */
  async issue (customer: { name: string, email: string }, cents: number) {
    const { id: customerId } = await this.repo(CustomerRepository).known(customer)
    return this.create({ customerId, cents })
  }
}

interface NewInvoice { customer: { name: string, email: string }, cents: number }

export async function repositories (server: FastifyInstance) {
  server.post<{ Body: NewInvoice }>('/invoices', (request) => {
    const { customer, cents } = request.body
    return request.repo(InvoiceRepository).issue(customer, cents)
  })
}
