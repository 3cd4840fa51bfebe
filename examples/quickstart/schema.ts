import { Type, type Static } from '@sinclair/typebox'
import { boolean, index, integer, pgTable, text, varchar } from 'drizzle-orm/pg-core'
import { createInsertSchema, createSelectSchema } from 'drizzle-typebox'
import { softDelete, timestamps } from '../../plugins/index.js'

// The tables. Migrations, types and JSON schemas all come from here.

export const users = pgTable('users', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: varchar({ length: 100 }).notNull(),
  email: varchar({ length: 255 }).notNull().unique(),
  isActive: boolean().notNull().default(true),
  ...timestamps()
})

export const posts = pgTable('posts', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  authorId: integer().notNull().references(() => users.id, { onDelete: 'cascade' }),
  title: varchar({ length: 200 }).notNull(),
  body: text().notNull(),
  ...timestamps(),
  ...softDelete()
}, (table) => [index().on(table.authorId)])

// JSON schemas for requests and replies, made from the tables.

// A Date in the program, a string in JSON.
const time = Type.Unsafe<Date>({ type: 'string', format: 'date-time' })
const times = { createdAt: time, updatedAt: time }
const closed = { additionalProperties: false }

const { name, email, isActive } = createInsertSchema(users).properties
const { title, body } = createInsertSchema(posts).properties

export const user = createSelectSchema(users, times)
export const newUser = Type.Object({ name: Type.String({ ...name, minLength: 1 }), email: Type.String({ ...email, format: 'email' }), isActive }, closed)
export const userChanges = Type.Partial(newUser, { ...closed, minProperties: 1 })

export const post = Type.Object({ id: Type.Integer(), authorId: Type.Integer(), title, body, ...times })
export const newPost = Type.Object({ title: Type.String({ ...title, minLength: 1 }), body }, closed)

export const id = Type.Object({ id: Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }) })
export const page = Type.Object({
  skip: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 20 }))
})

export type NewUser = Static<typeof newUser>
