import { index, integer, pgTable, text } from 'drizzle-orm/pg-core'
import { timestamps } from '../../../plugins/index.js'
import { articles } from '../articles/table.js'
import { users } from '../users/table.js'

export const comments = pgTable('comments', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  articleId: integer().notNull().references(() => articles.id, { onDelete: 'cascade' }),
  authorId: integer().notNull().references(() => users.id, { onDelete: 'cascade' }),
  body: text().notNull(),
  ...timestamps()
}, (table) => [index().on(table.articleId)])
