import { boolean, integer, pgTable, text } from 'drizzle-orm/pg-core'

export const people = pgTable('people', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull(),
  email: text().notNull().unique(),
  handedOver: boolean('handed_over').notNull().default(false)
})
