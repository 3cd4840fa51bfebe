import { index, integer, pgTable, primaryKey, text, varchar } from 'drizzle-orm/pg-core'
import { timestamps } from '../../../plugins/index.js'
import { users } from '../users/table.js'

export const articles = pgTable('articles', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  slug: varchar({ length: 300 }).notNull().unique(),
  authorId: integer().notNull().references(() => users.id, { onDelete: 'cascade' }),
  title: varchar({ length: 200 }).notNull(),
  description: text().notNull(),
  body: text().notNull(),
  ...timestamps()
}, (table) => [index().on(table.authorId), index().on(table.createdAt, table.id)])

/** Each user's favourite articles. */
export const favorites = pgTable('favorites', {
  userId: integer().notNull().references(() => users.id, { onDelete: 'cascade' }),
  articleId: integer().notNull().references(() => articles.id, { onDelete: 'cascade' })
}, (table) => [primaryKey({ columns: [table.userId, table.articleId] }), index().on(table.articleId)])
