import { integer, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core'

export const customers = pgTable('customers', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull(),
  email: text().notNull().unique('customers_email_unique'),
  createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow()
})

export const orders = pgTable('orders', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  customerId: integer('customer_id').notNull().references(() => customers.id),
  placedAt: timestamp('placed_at', { withTimezone: true, precision: 3 }).notNull().defaultNow()
})

export const orderLines = pgTable('order_lines', {
  orderId: integer('order_id').notNull().references(() => orders.id),
  item: text().notNull(),
  quantity: integer().notNull(),
  cents: integer().notNull()
}, (table) => [primaryKey({ columns: [table.orderId, table.item] })])
