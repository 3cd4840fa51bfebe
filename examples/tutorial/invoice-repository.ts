import { Repository } from '../../plugins/index.js'
import { invoiceLines, invoices } from './schema.js'
import type { NewInvoice } from './requests.js'

export class InvoiceRepository extends Repository.of(invoices) {
  /** Writes an invoice and its lines, numbered from 1. */
  async draft ({ customerId, lines }: NewInvoice) {
    const invoice = await this.create({ customerId })
    const rows = lines.map((line, index) => ({ ...line, invoiceId: invoice.id, position: index + 1 }))
    return { ...invoice, lines: await this.repo(invoiceLines).createMany(rows) }
  }

  /** An invoice with its lines. */
  async show (id: number) {
    const invoice = await this.getOrThrow(id)
    return { ...invoice, lines: await this.repo(invoiceLines).filter({ invoiceId: id }, { orderBy: { position: 'asc' }, limit: 100 }) }
  }
}
