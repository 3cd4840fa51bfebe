import { boolean, integer, jsonb, numeric, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import { softDelete } from '../../../src/model/columns.js'

/** One column of each type that filters or orders treat differently. */
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

/** The same table in SQL. Texts are compared by their code points, as in JavaScript. */
export const itemsSql = `create table items (
  id integer primary key, word text collate "C", rank integer, score numeric, flag boolean, at timestamptz, tags text[] collate "C", doc jsonb, "deletedAt" timestamptz(3)
);`
