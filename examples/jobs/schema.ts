import { integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'

export const stock = pgTable('stock', {
  item: text().primaryKey(),
  left: integer().notNull()
})

export const orders = pgTable('orders', {
  id: uuid().primaryKey().defaultRandom(),
  item: text().notNull().references(() => stock.item),
  quantity: integer().notNull()
})

/** The events that a queue has handled. A queue may deliver an event again; its row is there then. */
export const receivedEvents = pgTable('received_events', {
  id: uuid().notNull(),
  queue: text().notNull()
}, (table) => [primaryKey({ columns: [table.id, table.queue] })])
