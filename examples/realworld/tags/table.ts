import { index, integer, pgTable, primaryKey, varchar } from 'drizzle-orm/pg-core'
import { articles } from '../articles/table.js'

/** A tag is its name. */
export const tags = pgTable('tags', {
  name: varchar({ length: 100 }).primaryKey()
})

export const articleTags = pgTable('article_tags', {
  articleId: integer().notNull().references(() => articles.id, { onDelete: 'cascade' }),
  tag: varchar({ length: 100 }).notNull().references(() => tags.name)
}, (table) => [primaryKey({ columns: [table.articleId, table.tag] }), index().on(table.tag)])
