import { check, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { sql } from 'drizzle-orm'
import { timestamps } from '../../plugins/index.js'

export const customers = pgTable('customers', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull(),
  email: text().notNull().unique('customers_email_unique'),
  ...timestamps()
})

export const invoices = pgTable('invoices', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  customerId: integer().notNull().references(() => customers.id),
  status: text({ enum: ['draft', 'sent'] }).notNull().default('draft'),
  ...timestamps()
})

export const invoiceLines = pgTable('invoice_lines', {
  invoiceId: integer().notNull().references(() => invoices.id),
  position: integer().notNull(),
  description: text().notNull(),
  cents: integer().notNull()
}, (table) => [
  primaryKey({ columns: [table.invoiceId, table.position] }),
  check('invoice_lines_cents_positive', sql`${table.cents} > 0`)
])
