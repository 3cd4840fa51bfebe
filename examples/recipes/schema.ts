import { integer, json, pgTable, text, timestamp } from 'drizzle-orm/pg-core'

export const customers = pgTable('customers', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull(),
  email: text().notNull().unique()
})

export const invoices = pgTable('invoices', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  customerId: integer('customer_id').notNull().references(() => customers.id),
  cents: integer().notNull(),
  paidCents: integer('paid_cents').notNull().default(0),
  issuedAt: timestamp('issued_at', { withTimezone: true, precision: 3 }).notNull().defaultNow()
})

export const payments = pgTable('payments', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  invoiceId: integer('invoice_id').notNull().references(() => invoices.id),
  cents: integer().notNull()
})

export const idempotencyKeys = pgTable('idempotency_keys', {
  key: text().primaryKey(),
  request: text().notNull(),
  status: integer(),
  reply: json(), // not jsonb(), which orders the keys
  createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow()
})
