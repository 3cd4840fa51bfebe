// The tables after the last migration of drizzle/. The folder holds their history.
import { index, integer, pgEnum, pgTable, text } from 'drizzle-orm/pg-core'

export const role = pgEnum('role', ['reader', 'author', 'editor'])

export const users = pgTable('users', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  email: text().notNull().unique(),
  fullName: text().notNull(),
  nickname: text().notNull(),
  role: role().notNull().default('reader')
}, (table) => [index().on(table.fullName).concurrently()])

export const posts = pgTable('posts', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  authorId: integer().notNull().references(() => users.id, { onDelete: 'cascade' }),
  title: text().notNull()
}, (table) => [index().on(table.authorId)])
