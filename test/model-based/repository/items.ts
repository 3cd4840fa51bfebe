import { boolean, integer, jsonb, numeric, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import { softDelete } from '../../../src/model/columns.js'

/** A column of each kind that a filter or an order treats in its own way. */
export const itemColumns = () => ({
  id: integer().primaryKey(),
  word: text(),
  rank: integer(),
  score: numeric(),
  flag: boolean(),
  at: timestamp({ withTimezone: true }),
  tags: text().array(),
  doc: jsonb()
})

export const items = pgTable('items', { ...itemColumns(), ...softDelete() })

export type Item = typeof items.$inferSelect

/** The same in SQL. Texts are compared by their code points, as JavaScript does. */
export const itemsSql = `create table items (
  id integer primary key, word text collate "C", rank integer, score numeric, flag boolean, at timestamptz, tags text[] collate "C", doc jsonb, "deletedAt" timestamptz(3)
);`
