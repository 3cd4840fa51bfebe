import { Type } from '@sinclair/typebox'
import { integer, pgTable, text, varchar } from 'drizzle-orm/pg-core'
import { createInsertSchema, createSelectSchema } from 'drizzle-typebox'
import { timestamps } from 'fastify-data-access'

// The tables. After a change, write its migration: npm run migrate:create -- -m "what has changed"

export const notes = pgTable('notes', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  title: varchar({ length: 200 }).notNull(),
  body: text().notNull().default(''),
  ...timestamps()
})

// JSON schemas for requests and replies, made from the tables.

// A Date in the program, a text in JSON.
const time = Type.Unsafe<Date>({ type: 'string', format: 'date-time' })
const closed = { additionalProperties: false }

const { title, body } = createInsertSchema(notes).properties

export const note = createSelectSchema(notes, { createdAt: time, updatedAt: time })
export const newNote = Type.Object({ title: Type.String({ ...title, minLength: 1 }), body }, closed)
export const noteChanges = Type.Partial(newNote, { ...closed, minProperties: 1 })

export const noteId = Type.Object({ id: Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }) })
export const page = Type.Object({
  skip: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 }))
})
