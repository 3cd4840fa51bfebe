import { sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { isDrizzle1, related, relations } from './drizzle.js'
import type { Database } from '../../src/index.js'

/** Two small tables for all tests except those of the repository. */
export const users = pgTable('users', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  email: text().notNull().unique(),
  balance: integer().notNull().default(0)
})

export const posts = pgTable('posts', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  userId: integer('user_id').notNull().references(() => users.id),
  title: text().notNull()
})

export const usersRelations = relations(users, ({ many }) => ({ posts: many(posts) }))
export const postsRelations = relations(posts, ({ one }) => ({ user: one(users, { fields: [posts.userId], references: [users.id] }) }))

export const schema = { users, posts, usersRelations, postsRelations }

/** The options that declare the tables and their relations, for the installed Drizzle. */
export const declared = isDrizzle1
  ? {
      relations: related({ users, posts }, ({ one, many, ...tables }) => ({
        users: { posts: many['posts']?.({ from: tables['users']?.['id'], to: tables['posts']?.['userId'] }) },
        posts: { user: one['users']?.({ from: tables['posts']?.['userId'], to: tables['users']?.['id'] }) }
      }))
    }
  : { schema }

/** The same in SQL. The foreign key is checked at COMMIT if a transaction defers it, the balance at once. */
export const tables = `
  create table users (
    id integer primary key generated always as identity,
    email text not null constraint users_email_key unique,
    balance integer not null default 0 constraint users_balance_check check (balance >= 0)
  );
  create table posts (
    id integer primary key generated always as identity,
    user_id integer not null constraint posts_user_id_fkey references users (id) deferrable initially immediate,
    title text not null
  );
`

/** The options of `createTestDatabase()` for a copy of a database with {@link tables}, which takes less than to create them each time. */
export const withTables = { seed: (database: Database) => database.execute(sql.raw(tables)) }
