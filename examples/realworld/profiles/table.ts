import { index, integer, pgTable, primaryKey } from 'drizzle-orm/pg-core'
import { users } from '../users/table.js'

/** Each user's followed users. */
export const follows = pgTable('follows', {
  followerId: integer().notNull().references(() => users.id, { onDelete: 'cascade' }),
  followedId: integer().notNull().references(() => users.id, { onDelete: 'cascade' })
}, (table) => [primaryKey({ columns: [table.followerId, table.followedId] }), index().on(table.followedId)])
