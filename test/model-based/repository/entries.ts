import { pgTable } from 'drizzle-orm/pg-core'
import { softDelete, version } from '../../../src/model/columns.js'
import { itemColumns } from './items.js'

// The columns of items, with a version and soft deletion, or without both.

/** Deleted rows are hidden. */
export const entries = pgTable('entries', { ...itemColumns(), ...softDelete(), ...version() })

/** Deletes are final, and rows have no version. */
export const remarks = pgTable('remarks', itemColumns())

export type Entry = typeof entries.$inferSelect

const columnsSql =
  'id integer primary key, word text collate "C", rank integer, score numeric, flag boolean, at timestamptz, tags text[] collate "C", doc jsonb'

export const entriesSql = `create table entries (${columnsSql}, "deletedAt" timestamptz(3), version integer not null default 1);
create table remarks (${columnsSql});`
