import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { softDelete, version } from '../../src/index.js'

/** A table that every method of a repository can be called for. */
export const notes = pgTable('notes', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  title: text().notNull().unique(),
  size: integer(),
  ...softDelete(),
  ...version()
})
/** Its SQL. */
export const notesTable = `
  create table notes (id integer primary key generated always as identity, title text not null unique check (title in ('a', 'b')), size integer, "deletedAt" timestamptz, version integer not null default 1)
`
