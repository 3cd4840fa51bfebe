import { integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core'

export const archivedInvoices = pgTable('archived_invoices', {
  id: integer().primaryKey(),
  customerName: text('customer_name').notNull(),
  cents: integer().notNull(),
  issuedAt: timestamp('issued_at', { withTimezone: true, precision: 3 }).notNull()
})
