import { integer, pgTable, text, varchar } from 'drizzle-orm/pg-core'
import { timestamps } from '../../../plugins/index.js'

export const users = pgTable('users', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  username: varchar({ length: 100 }).notNull().unique(),
  email: varchar({ length: 255 }).notNull().unique(),
  passwordHash: text().notNull(),
  bio: text(),
  image: text(),
  ...timestamps()
})
